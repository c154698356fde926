import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../failure.js';
import { homeOf } from '../server.js';
import type { Agent, Rival, Values, Wanted, Warning } from './agent.js';
import { isOurs, shownValue, type Change } from './changes.js';
import {
  eventOf,
  hookValues,
  isHook,
  isOurs as isOurHook,
  shownHook,
  wantedHooks,
} from './claude-hooks.js';
import { late } from './export-delay.js';
import { editHooks } from './hooks-edit.js';
import { editObjectMember, type JsonObject } from './json-edit.js';
import { jsonObjectOf, type SettingsFile } from './settings-file.js';

const endpointKey = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const headersKey = 'OTEL_EXPORTER_OTLP_HEADERS';
const sessionIdKey = 'OTEL_METRICS_INCLUDE_SESSION_ID';

/** These would send a part of the telemetry elsewhere than the endpoint says, or in another form. */
const perSignal = /^OTEL_EXPORTER_OTLP_(LOGS|METRICS|TRACES)_(ENDPOINT|PROTOCOL|HEADERS)$/;

/** Claude Code takes its environment from the `env` of its settings. */
export const claude: Agent = {
  word: 'claude',
  id: 'claude-code',
  title: 'Claude Code',
  program: { name: 'claude', variable: 'TRI_AGENT_CLAUDE_BIN' },
  prefix: 'env.',
  section: 'env',
  destinationKeys: [endpointKey],
  afterwards: 'Running sessions have to be started anew.',
  folder: (io) => io.env.CLAUDE_CONFIG_DIR || join(homeOf(io), '.claude'),
  settingsPath(io, { scope, file }) {
    const here = io.cwd ?? process.cwd();
    if (file !== undefined) return resolve(here, file);
    return join(scope === 'project' ? join(here, '.claude') : this.folder(io), 'settings.json');
  },
  wanted: claudeWanted,
  open(file) {
    const text = file.source === null ? '{}\n' : file.text;
    const content = jsonObjectOf({ path: file.path, text });
    return {
      values: { ...envOf(file, content), ...hookValues(content) },
      hasSection: 'env' in content,
      edit: (changes, removeEmpty) => edit(text, changes, removeEmpty),
    };
  },
  isEmpty: (text) => Object.keys(JSON.parse(text) as object).length === 0,
  same: (one, other) => isDeepStrictEqual(one, other),
  rivals,
  surroundings: (io, _file, values) =>
    Promise.resolve({
      rivals: [],
      warnings: [
        ...(values[sessionIdKey] === 'false'
          ? [
              {
                what: `${sessionIdKey}=false takes the session out of all telemetry, so nothing can be told apart.`,
                fix: `Remove it from "env" of the settings.`,
              },
            ]
          : []),
        ...proxied({ ...io.env, ...values }),
        ...late({ ...io.env, ...values }),
      ],
    }),
  hooks: wantedHooks,
  shown: (key, value) => (isHook(key) ? shownHook(value) : shownValue(key, value)),
  byHand: ({ required }, hooks) =>
    JSON.stringify(
      {
        env: Object.fromEntries(
          Object.entries(required).map(([key, value]) => [key, shownValue(key, value)]),
        ),
        ...(Object.keys(hooks).length > 0 && {
          hooks: Object.fromEntries(
            Object.entries(hooks).map(([key, item]) => [
              eventOf(key),
              [JSON.parse(shownHook(item)) as unknown],
            ]),
          ),
        }),
      },
      null,
      2,
    ).split('\n'),
};

function edit(
  text: string,
  changes: ReadonlyMap<string, unknown>,
  removeEmpty: boolean,
): string | undefined {
  const [hooks, env] = [new Map<string, unknown>(), new Map<string, unknown>()];
  for (const [key, value] of changes) {
    if (isHook(key)) hooks.set(eventOf(key), value);
    else env.set(key, value);
  }
  const edited = env.size === 0 ? text : editObjectMember(text, 'env', env, removeEmpty);
  return edited === undefined ? undefined : editHooks(edited, hooks, isOurHook);
}

/** A proxy gets hooks of a server on this machine, too, unless it is told not to. */
function proxied(environment: Values): Warning[] {
  const either = (name: string): string => {
    const value = environment[name] ?? environment[name.toLowerCase()];
    return typeof value === 'string' ? value : '';
  };
  const exempt = either('NO_PROXY').split(/[\s,]+/);
  const hasHooks = Object.keys(environment).some(
    (key) => isHook(key) && isOurHook(environment[key]),
  );
  const isExempt = ['*', '127.0.0.1'].some((it) => exempt.includes(it));
  if (!hasHooks || isExempt || either('HTTP_PROXY') === '') return [];
  return [
    {
      what: 'HTTP_PROXY takes the hooks of Claude Code to a proxy.',
      fix: 'Set NO_PROXY=127.0.0.1 beside it.',
    },
  ];
}

function claudeWanted(endpoint: string, token?: string): Wanted {
  const required = {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_TRACES_EXPORTER: 'otlp',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    [endpointKey]: endpoint,
    OTEL_LOGS_EXPORT_INTERVAL: '1000',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
    ...(token === undefined
      ? {}
      : { [headersKey]: `Authorization=${encodeURIComponent(`Bearer ${token}`)}` }),
  };
  return { endpoint, holdsToken: token !== undefined, required, whereUnset: {} };
}

function rivals(values: Values, wanted: Wanted, recorded: readonly Change[]): Rival[] {
  const endpoint = values[endpointKey];
  const elsewhere =
    endpoint !== undefined &&
    endpoint !== wanted.endpoint &&
    !isOurs(claude, endpointKey, endpoint, recorded);
  const found = [
    ...(elsewhere ? [endpointKey] : []),
    ...Object.keys(values).filter((key) => perSignal.test(key)),
  ];
  return found.map((key) => ({
    what: `${key}=${shownValue(key, values[key])}`,
    // Headers were meant for whoever they went to.
    instead: Object.fromEntries([key, headersKey].map((gone) => [gone, undefined])),
  }));
}

/** The `env` of the settings. @throws {Failure} when it is something else than an object. */
function envOf({ path }: SettingsFile, { env = {} }: JsonObject): JsonObject {
  if (typeof env === 'object' && env !== null && !Array.isArray(env)) return env as JsonObject;
  throw new Failure(
    'settings_invalid',
    `"env" in ${path} is not an object; nothing was changed.`,
    'Repair the file, then run this again.',
  );
}
