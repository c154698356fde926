import type { JsonObject } from './json-edit.js';

/** What makes Claude Code report somewhere, and what of its settings has to change for that. Pure. */

export type Env = Readonly<Record<string, string>>;

/** One member of the settings' `env`. Absent means that it is not there. */
export interface EnvChange {
  readonly key: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export const endpointKey = 'OTEL_EXPORTER_OTLP_ENDPOINT';
export const headersKey = 'OTEL_EXPORTER_OTLP_HEADERS';
export const sessionIdKey = 'OTEL_METRICS_INCLUDE_SESSION_ID';

/** These would send a part of the telemetry elsewhere than the endpoint says, or in another form. */
const perSignal = /^OTEL_EXPORTER_OTLP_(LOGS|METRICS|TRACES)_(ENDPOINT|PROTOCOL|HEADERS)$/;

/** `token` only where the receiver asks for one. */
export function claudeEnv(endpoint: string, token?: string): Env {
  return {
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
}

/** Settings that send telemetry elsewhere already: nobody's to overwrite without being asked. */
export function rivalsOf(
  env: JsonObject,
  wanted: Env,
  recorded: readonly EnvChange[],
): readonly string[] {
  const ours = recorded.find(({ key }) => key === endpointKey)?.after;
  const endpoint = env[endpointKey];
  const elsewhere = endpoint !== undefined && endpoint !== wanted[endpointKey] && endpoint !== ours;
  return [
    ...(elsewhere ? [endpointKey] : []),
    ...Object.keys(env).filter((key) => perSignal.test(key)),
  ];
}

/** What has to change, rivals being removed together with the headers that were meant for them. */
export function changesToConnect(
  env: JsonObject,
  wanted: Env,
  recorded: readonly EnvChange[],
): EnvChange[] {
  const rivals = rivalsOf(env, wanted, recorded);
  const doomed = rivals.length > 0 && headersKey in env ? [...rivals, headersKey] : rivals;
  const removed = doomed.filter((key) => !(key in wanted));
  const set = Object.entries(wanted).filter(([key, value]) => env[key] !== value);
  return [
    ...set.map(([key, after]) => ({ key, before: originalOf(key, env, recorded), after })),
    ...removed.map((key) => ({ key, before: originalOf(key, env, recorded) })),
  ];
}

/** What stood there before tri-agent ever wrote it. */
function originalOf(key: string, env: JsonObject, recorded: readonly EnvChange[]): unknown {
  const earlier = recorded.find((change) => change.key === key);
  return earlier !== undefined && earlier.after === env[key] ? earlier.before : env[key];
}

/** What was written so far, with these changes on top. */
export function mergeChanges(
  recorded: readonly EnvChange[],
  changes: readonly EnvChange[],
): EnvChange[] {
  const changed = new Set(changes.map(({ key }) => key));
  return [...recorded.filter(({ key }) => !changed.has(key)), ...changes];
}

/** Takes back what is still as it was written; what somebody has changed since stays theirs. */
export function changesToDisconnect(
  env: JsonObject,
  recorded: readonly EnvChange[],
): { readonly changes: EnvChange[]; readonly kept: string[] } {
  const untouched = recorded.filter(({ key, after }) => env[key] === after);
  return {
    changes: untouched.map(({ key, before, after }) => ({ key, before: after, after: before })),
    kept: recorded.filter((change) => !untouched.includes(change)).map(({ key }) => key),
  };
}

/** Whether Claude Code with these settings reports to that endpoint. */
export function isConnected(env: JsonObject, wanted: Env): boolean {
  return Object.entries(wanted).every(([key, value]) => env[key] === value);
}

/** Headers carry tokens, and URLs may carry passwords: of them only that they are there. */
export function shownValue(key: string, value: unknown): string {
  if (key.endsWith('HEADERS')) return '(not shown)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/:\/\/[^/?#]*@/, '://(not shown)@');
}

/** `- KEY=before` and `+ KEY=after`. */
export function diffLines(changes: readonly EnvChange[]): string[] {
  return changes.flatMap(({ key, before, after }) => [
    ...(before === undefined ? [] : [`- env.${key}=${shownValue(key, before)}`]),
    ...(after === undefined ? [] : [`+ env.${key}=${shownValue(key, after)}`]),
  ]);
}
