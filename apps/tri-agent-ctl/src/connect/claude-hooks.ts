import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { projectRoot } from '#platform/project-root.js';
import type { HooksWanted, Values } from './agent.js';
import type { Change } from './changes.js';
import type { JsonObject } from './json-edit.js';

/**
 * The hooks by which Claude Code tells of its sessions and asks whether it may go on. In its settings
 * `hooks` is an object of lists, one for each of its events; in each of ours one item is ours.
 *
 * A setting `hooks.<event>` here is that item. Where it is not there the value says what is: the list
 * without it (`[]`), `hooks` without the list (`{}`), or not even `hooks` (undefined).
 */

const gates = ['UserPromptSubmit', 'PreToolUse'];
const reports = ['PreCompact', 'Stop', 'StopFailure', 'SessionEnd'];
/** Only a command can tell the process, and this one cannot be asked over HTTP anyway. */
const beginning = 'SessionStart';
const events = [beginning, ...gates, ...reports];

const prefix = 'hooks.';
const path = '/api/v1/hooks/claude-code';
const program = 'apps/tri-agent-ctl/bin.cjs';

export function isHook(key: string): boolean {
  return key.startsWith(prefix);
}

export function eventOf(key: string): string {
  return key.slice(prefix.length);
}

/** What there is of our hooks in settings. */
export function hookValues({ hooks }: JsonObject): Values {
  if (!isObject(hooks)) return {};
  return Object.fromEntries(
    events.map((event) => {
      const list = Object.hasOwn(hooks, event) ? hooks[event] : undefined;
      if (!Array.isArray(list)) return [prefix + event, {}];
      return [prefix + event, list.findLast(isOurs) ?? []];
    }),
  );
}

/** Whether all that an item of a list does is to call us. */
export function isOurs(item: unknown): boolean {
  if (!isObject(item) || !Array.isArray(item['hooks'])) return false;
  return item['hooks'].length > 0 && item['hooks'].every(callsUs);
}

function callsUs(hook: unknown): boolean {
  if (!isObject(hook)) return false;
  const { url, command } = hook;
  if (typeof url === 'string') return url.endsWith(path);
  return typeof command === 'string' && command.includes(`${program}' hook claude-code `);
}

/** What has to be there; with none wanted, what was there before ours. */
export function wantedHooks(wanted: HooksWanted, values: Values, recorded: readonly Change[]) {
  if (wanted.mode !== 'none') return Object.fromEntries(items(wanted));
  const ours = Object.keys(values).filter((key) => isHook(key) && isOurs(values[key]));
  return Object.fromEntries(
    ours.map((key) => [key, recorded.find((change) => change.key === key)?.before ?? {}]),
  );
}

function items(wanted: HooksWanted): [string, object][] {
  const { url, token, mode, command } = wanted;
  const http = {
    type: 'http',
    url: url + path,
    headers: { Authorization: `Bearer ${token}` },
    timeout: limits.hookWaitMs / 1_000,
  };
  const asking = mode === 'closed' ? { ...run(wanted, ' --closed'), onFailure: 'block' } : http;
  const item = (event: string, hook: object): [string, object] => [
    prefix + event,
    { hooks: [hook] },
  ];
  return [
    ...(command === null ? [] : [item(beginning, run(wanted))]),
    ...gates.map((event) => item(event, asking)),
    ...reports.map((event) => item(event, http)),
  ];
}

/** The shell that Claude Code starts for it knows the pid of Claude Code as its parent's. */
function run({ url, command }: HooksWanted, more = ''): object {
  const words = [process.execPath, join(projectRoot(), program)].map(quoted).join(' ');
  const where = `--url ${quoted(url)} --token-file ${quoted(command?.tokenFile ?? '')}`;
  return {
    type: 'command',
    command: `${words} hook claude-code ${where} --parent $PPID${more}`,
    // A little more than it takes by itself, and what starting it takes.
    timeout: (2 * limits.hookWaitMs) / 1_000,
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The item as it may be printed: without the token. */
export function shownHook(value: unknown): string {
  return JSON.stringify(value).replace(/"Bearer [^"]*"/g, '"(not shown)"');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
