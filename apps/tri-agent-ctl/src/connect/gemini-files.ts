import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Io } from '../io.js';
import { homeOf } from '../server.js';
import type { Place } from './agent.js';
import type { JsonObject } from './json-edit.js';

/**
 * Where Gemini CLI reads its environment from. It takes one file only, the nearest: in the working
 * directory and then in each folder above it `.gemini/.env` or else `.env`, and at last the same two in
 * the user's home.
 */

function geminiHome(io: Io): string {
  return io.env.GEMINI_CLI_HOME || homeOf(io);
}

export function geminiFolder(io: Io): string {
  return join(geminiHome(io), '.gemini');
}

/** An existing file rather than a new one, which would hide it from Gemini CLI. */
export function geminiEnvFile(io: Io, { scope, file }: Place): string {
  const here = io.cwd ?? process.cwd();
  if (file !== undefined) return resolve(here, file);
  const candidates = envFilesIn(scope === 'project' ? here : geminiHome(io));
  return candidates.find((path) => existsSync(path)) ?? (candidates[0] as string);
}

/** Every file that Gemini CLI would read in the working directory, were those before it not there. */
export function envFilesInOrder(io: Io): string[] {
  return foldersUp(resolve(io.cwd ?? process.cwd()))
    .concat(geminiHome(io))
    .flatMap(envFilesIn);
}

function envFilesIn(folder: string): string[] {
  return [join(folder, '.gemini', '.env'), join(folder, '.env')];
}

function foldersUp(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersUp(above)];
}

export interface TelemetrySettings {
  readonly file: string;
  readonly telemetry: JsonObject;
}

/** The `telemetry` of the settings files, the user's and the project's. What cannot be read says nothing. */
export function telemetrySettings(io: Io): TelemetrySettings[] {
  const folders = [geminiFolder(io), join(io.cwd ?? process.cwd(), '.gemini')];
  return [...new Set(folders)].flatMap((folder) => {
    const file = join(folder, 'settings.json');
    try {
      const { telemetry } = JSON.parse(readFileSync(file, 'utf8')) as { telemetry?: unknown };
      const isObject = typeof telemetry === 'object' && telemetry !== null;
      return isObject ? [{ file, telemetry: telemetry as JsonObject }] : [];
    } catch {
      return [];
    }
  });
}
