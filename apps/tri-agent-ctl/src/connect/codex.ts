import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Failure, reasonOf } from '../failure.js';
import type { Io } from '../io.js';
import { homeOf } from '../server.js';
import type { Agent, OpenedSettings, Rival, Values, Wanted, Warning } from './agent.js';
import { isOurs, shownValue, type Change } from './changes.js';
import { late } from './export-delay.js';
import { refusal, type SettingsFile } from './settings-file.js';
import { editTable, hasTable, tableValues, tomlSource, tomlValue } from './toml-edit.js';

const table = 'otel';

/** Values that send nothing to anybody, or what Codex itself sends where nothing is set. */
const nobody: readonly unknown[] = ['none', 'statsig'];

/** Codex takes where it reports to from the table `otel` of its user's config.toml, and only from there. */
export const codex: Agent = {
  word: 'codex',
  id: 'codex',
  title: 'Codex CLI',
  program: { name: 'codex', variable: 'TRI_AGENT_CODEX_BIN' },
  prefix: `${table}.`,
  section: table,
  destinationKeys: ['exporter', 'metrics_exporter'],
  afterwards:
    'Running sessions have to be started anew. Its hooks are left alone: it runs none before you have trusted them.',
  folder: (io) => io.env.CODEX_HOME || join(homeOf(io), '.codex'),
  settingsPath(io, { scope, file }) {
    if (file !== undefined) return resolve(io.cwd ?? process.cwd(), file);
    if (scope === 'user') return join(this.folder(io), 'config.toml');
    throw new Failure(
      'scope_unknown',
      "Codex CLI ignores [otel] in a project's .codex/config.toml; nothing was changed.",
      'Leave --scope away: your own config.toml counts in every project.',
    );
  },
  wanted,
  open,
  isEmpty: (text) => text.trim() === '',
  same: (one, other) => one === other || isDeepStrictEqual(valueOf(one), valueOf(other)),
  rivals,
  surroundings: (io: Io, _file: SettingsFile, values: Values) =>
    Promise.resolve({ rivals: [], warnings: [...late(io.env), ...vendor(values)] }),
  shown: (_key, source) => shownValue('', tomlSource(withoutHeaders(valueOf(source)))),
  byHand: (settings) => [
    `[${table}]`,
    ...Object.entries({ ...settings.required, ...settings.whereUnset }).map(
      ([key, source]) => `${key} = ${codex.shown(key, source)}`,
    ),
  ],
};

function wanted(endpoint: string, token?: string): Wanted {
  const to = (path: string): string =>
    tomlSource({
      'otlp-http': {
        endpoint: `${endpoint}/v1/${path}`,
        protocol: 'binary',
        ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
      },
    });
  return {
    endpoint,
    holdsToken: token !== undefined,
    // Left unset, metrics go to the vendor.
    required: { exporter: to('logs'), metrics_exporter: to('metrics') },
    // A turn's traces are 200 KB and say nothing that its logs do not.
    whereUnset: { trace_exporter: '"none"', log_user_prompt: 'false' },
  };
}

function open({ path, text }: SettingsFile): OpenedSettings {
  try {
    return {
      values: tableValues(text, table),
      hasSection: hasTable(text, table),
      edit: (changes, removeEmpty) => editTable(text, table, changes, removeEmpty),
    };
  } catch (error) {
    // The rest of the message quotes the file, and the file may hold secrets.
    const { line } = error as { readonly line?: unknown };
    if (typeof line !== 'number') throw new Error(reasonOf(error), { cause: error });
    throw refusal(path, `is not valid TOML (line ${line})`);
  }
}

function rivals(values: Values, { required }: Wanted, recorded: readonly Change[]): Rival[] {
  return Object.keys(required)
    .filter((key) => {
      const there = values[key];
      if (there === undefined || codex.same(there, required[key])) return false;
      return !nobody.includes(valueOf(there)) && !isOurs(codex, key, there, recorded);
    })
    .map((key) => ({ what: `${table}.${key}=${codex.shown(key, values[key])}`, instead: {} }));
}

/** Logs that go somewhere while metrics go to the vendor: half of what was meant. */
function vendor(values: Values): Warning[] {
  const { exporter, metrics_exporter: metrics } = values;
  if (exporter === undefined || valueOf(exporter) === 'none' || metrics !== undefined) return [];
  return [
    {
      what: 'metrics_exporter is not set, so that metrics go to the vendor.',
      fix: 'Set it: tri-agent-ctl connect codex --write',
    },
  ];
}

function valueOf(source: unknown): unknown {
  return tomlValue(source);
}

/** Headers carry tokens. */
function withoutHeaders(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === 'headers' ? '(not shown)' : withoutHeaders(member),
    ]),
  );
}
