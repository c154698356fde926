import type { Io } from '../io.js';
import type { Change } from './changes.js';
import type { SettingsFile } from './settings-file.js';

/** What `connect`, `disconnect` and `doctor` have to know of an agent; each agent is one such object. */

/** Setting to value. What a value looks like is the agent's: text in `.env`, source text in TOML. */
export type Values = Readonly<Record<string, unknown>>;

/** Whose settings, or which file. */
export interface Place {
  readonly scope: 'user' | 'project';
  readonly file?: string;
}

/** What makes an agent report to an endpoint. */
export interface Wanted {
  /** The OTLP/HTTP base URL that all of it leads to. */
  readonly endpoint: string;
  /** Whether the access token is among the settings. */
  readonly holdsToken: boolean;
  /** Without each of these nothing, or not all, arrives. */
  readonly required: Readonly<Record<string, string>>;
  /** Sensible, but somebody's own choice wins. */
  readonly whereUnset: Readonly<Record<string, string>>;
}

/** What an agent does when the server does not answer its hooks: go on, or stop. */
export type HooksMode = 'open' | 'closed';

/** What hooks have to be there, and what they have to know. */
export interface HooksWanted {
  readonly mode: HooksMode | 'none';
  /** The base URL of the API. */
  readonly url: string;
  /** Opens what is for hooks. */
  readonly token: string;
  /** For hooks that are commands of this host; null where they are of no use. */
  readonly command: { readonly tokenFile: string } | null;
}

/** Something that sends telemetry elsewhere. */
export interface Rival {
  readonly what: string;
  /** What has to be set, or removed where undefined, so that it does not. */
  readonly instead: Values;
}

export interface Warning {
  readonly what: string;
  readonly fix: string;
}

/** What beside the settings file decides where telemetry goes. */
export interface Surroundings {
  readonly rivals: readonly Rival[];
  readonly warnings: readonly Warning[];
}

/** A settings file that was understood. */
export interface OpenedSettings {
  readonly values: Values;
  /** Whether the part of the file that holds the values is there. */
  readonly hasSection: boolean;
  /**
   * The file's text with these values set, or removed where undefined, and all else to the letter as it
   * was. Undefined when that cannot be done faithfully.
   */
  edit(changes: ReadonlyMap<string, unknown>, removeEmptySection: boolean): string | undefined;
}

export interface Agent {
  /** As it is typed: `connect <word>`. */
  readonly word: 'claude' | 'codex' | 'gemini';
  /** As the server calls it. */
  readonly id: 'claude-code' | 'codex' | 'gemini';
  readonly title: string;
  readonly program: { readonly name: string; readonly variable: string };
  /** What stands before a setting's name where it is shown. */
  readonly prefix: string;
  /** The settings that say where telemetry goes. */
  readonly destinationKeys: readonly string[];
  /** Where it keeps its things: who has that folder has the agent. */
  folder(io: Io): string;
  /** @throws {Failure} where the agent has no such settings. */
  settingsPath(io: Io, place: Place): string;
  /** `token` only where the receiver asks for one. */
  wanted(endpoint: string, token?: string): Wanted;
  /** @throws {Failure} when the file is not what the agent could read. */
  open(file: SettingsFile): OpenedSettings;
  isEmpty(text: string): boolean;
  same(one: unknown, other: unknown): boolean;
  rivals(values: Values, wanted: Wanted, recorded: readonly Change[]): readonly Rival[];
  surroundings(io: Io, file: SettingsFile, values: Values, wanted: Wanted): Promise<Surroundings>;
  /**
   * Settings of its hooks, by which it tells of itself and asks whether it may go on: what each has to
   * be. Absent where hooks are not installed, and `afterwards` says why.
   */
  readonly hooks?: (
    wanted: HooksWanted,
    values: Values,
    recorded: readonly Change[],
  ) => Readonly<Record<string, unknown>>;
  /** A value as it may be printed: without tokens and passwords. */
  shown(key: string, value: unknown): string;
  /** The settings as a person would type them. */
  byHand(wanted: Wanted, hooks: Values): readonly string[];
  /** The name of the settings together. */
  readonly section: string;
  /** What else a person has to know once it is written. */
  readonly afterwards: string;
}
