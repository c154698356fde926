import type { Agent, Rival, Values, Wanted } from './agent.js';

/** What of an agent's settings has to change, and how that is told. Pure. */

/** One setting. Absent means that it is not there. */
export interface Change {
  readonly key: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

type Sameness = Pick<Agent, 'same'>;

/** What has to change for telemetry, and what hooks tell, to come here; rivals give way. */
export function changesToConnect(
  agent: Sameness,
  values: Values,
  wanted: Wanted,
  rivals: readonly Rival[],
  recorded: readonly Change[],
  hooks: Values = {},
): Change[] {
  const unset = Object.entries(wanted.whereUnset).filter(([key]) => !(key in values));
  const target = new Map<string, unknown>([
    ...rivals.flatMap(({ instead }) => Object.entries(instead)),
    ...Object.entries(wanted.required),
    ...unset,
    ...Object.entries(hooks),
  ]);
  return [...target]
    .filter(([key, after]) => !agent.same(values[key], after))
    .map(([key, after]) => {
      const before = originalOf(agent, key, values, recorded);
      return {
        key,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      };
    });
}

/** What stood there before tri-agent ever wrote it. */
function originalOf(
  agent: Sameness,
  key: string,
  values: Values,
  recorded: readonly Change[],
): unknown {
  const earlier = recorded.find((change) => change.key === key);
  return earlier !== undefined && agent.same(earlier.after, values[key])
    ? earlier.before
    : values[key];
}

/** What was written so far, with these changes on top. */
export function mergeChanges(recorded: readonly Change[], changes: readonly Change[]): Change[] {
  const changed = new Set(changes.map(({ key }) => key));
  return [...recorded.filter(({ key }) => !changed.has(key)), ...changes];
}

/** Takes back what is still as it was written; what somebody has changed since stays theirs. */
export function changesToDisconnect(
  agent: Sameness,
  values: Values,
  recorded: readonly Change[],
): { readonly changes: Change[]; readonly kept: string[] } {
  const untouched = recorded.filter(({ key, after }) => agent.same(values[key], after));
  return {
    changes: untouched.map(({ key, before, after }) => ({ key, before: after, after: before })),
    kept: recorded.filter((change) => !untouched.includes(change)).map(({ key }) => key),
  };
}

/** Whether that value is what `connect` wrote, so that it is nobody else's. */
export function isOurs(
  agent: Sameness,
  key: string,
  value: unknown,
  recorded: readonly Change[],
): boolean {
  return recorded.some((change) => change.key === key && agent.same(change.after, value));
}

/** Whether an agent with these settings reports there. */
export function isConnected(agent: Sameness, values: Values, { required }: Wanted): boolean {
  return Object.entries(required).every(([key, value]) => agent.same(values[key], value));
}

/** Headers carry tokens, and URLs may carry passwords: of them only that they are there. */
export function shownValue(key: string, value: unknown): string {
  if (key.endsWith('HEADERS')) return '(not shown)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/:\/\/[^/?#]*@/g, '://(not shown)@');
}

/** `- KEY=before` and `+ KEY=after`. */
export function diffLines(
  { prefix, shown }: Pick<Agent, 'prefix' | 'shown'>,
  changes: readonly Change[],
): string[] {
  return changes.flatMap(({ key, before, after }) => [
    ...(isThere(before) ? [`- ${nameOf(prefix, key)}=${shown(key, before)}`] : []),
    ...(isThere(after) ? [`+ ${nameOf(prefix, key)}=${shown(key, after)}`] : []),
  ]);
}

/** A setting that is not among the others says with its own name where it stands. */
function nameOf(prefix: string, key: string): string {
  return key.includes('.') ? key : prefix + key;
}

/** An empty list or object only says what was there beside what is not. */
function isThere(value: unknown): boolean {
  return typeof value === 'object' && value !== null
    ? Object.keys(value).length > 0
    : value !== undefined;
}
