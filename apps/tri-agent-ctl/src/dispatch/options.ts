import { InvalidArgumentError, Option, type Command } from 'commander';
import { limits } from '#kernel/limits.js';
import { wholeNumber } from '../options.js';
import { isCost } from './task-fields.js';
import { isScope, lanes, scopeKinds, shards } from './words.js';

/** What the words of dispatch must look like on the command line. */

/** A name or an id. */
export function shortText(text: string): string {
  if (text !== '' && text.length <= limits.identifierCharactersMax) return text;
  throw new InvalidArgumentError(`It must have 1 to ${limits.identifierCharactersMax} characters.`);
}

export function longText(text: string): string {
  if (text !== '' && text.length <= limits.freeTextCharactersMax) return text;
  throw new InvalidArgumentError(`It must have 1 to ${limits.freeTextCharactersMax} characters.`);
}

/** Of an option that may be given several times. */
export function several(max: number) {
  return (text: string, before: readonly string[] = []): string[] => {
    if (before.length < max) return [...before, shortText(text)];
    throw new InvalidArgumentError(`It may be given ${max} times at most.`);
  };
}

/** Kept as it is written, so that nothing of it is lost. */
export function cost(text: string): string {
  if (isCost(text)) return text;
  const most = limits.taskCostNanoUsdMax / 1e9;
  throw new InvalidArgumentError(
    `It must be US dollars such as 3.75, more than 0 and at most ${most}.`,
  );
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `90s`, `30m`, `2h` in milliseconds. */
export function attemptTime(text: string): number {
  const [, figure = '', unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const ms = Number(figure) * (units[unit] ?? NaN);
  if (ms >= 1_000 && ms <= limits.attemptMsMax) return ms;
  const hours = limits.attemptMsMax / 3_600_000;
  throw new InvalidArgumentError(`It must be such as 90s, 30m or 2h, and ${hours}h at most.`);
}

/** A number of attempts at once, or null where any number may run. */
export function wipLimit(text: string): number | null {
  return text === 'none' ? null : wholeNumber(0, limits.tasksOpenMax)(text);
}

function scopeArgument(text: string): string {
  if (isScope(text)) return text;
  throw new InvalidArgumentError(
    `It must be "all", or ${scopeKinds.map((kind) => `${kind}:`).join(', ')} and a name.`,
  );
}

export interface ScopeWish {
  readonly scope?: string;
  readonly lane?: string;
  readonly shard?: string;
  readonly worker?: string;
}

/** Of everything, or of what one of these names. */
export function addScopeOptions(command: Command): Command {
  const names = ['scope', 'lane', 'shard', 'worker'];
  const only = (option: Option): Option =>
    option.conflicts(names.filter((name) => name !== option.attributeName()));
  return command
    .addOption(
      only(new Option('--scope <scope>', 'what of it: "all", or such as team:web')).argParser(
        scopeArgument,
      ),
    )
    .addOption(only(new Option('--lane <lane>', 'only that lane').choices(lanes)))
    .addOption(only(new Option('--shard <shard>', 'only that shard').choices(shards)))
    .addOption(only(new Option('--worker <id>', 'only that worker').argParser(shortText)));
}

export function scopeOf({ scope, lane, shard, worker }: ScopeWish): string {
  if (lane !== undefined) return `lane:${lane}`;
  if (shard !== undefined) return `shard:${shard}`;
  return worker === undefined ? (scope ?? 'all') : `worker:${worker}`;
}
