import { limits } from '#kernel/limits.js';
import { nanoUsdFromDecimal } from '#kernel/money.js';
import { agentOf, agentWords, lanes, shards, sizes, type AgentWord } from './words.js';

/** What a task file may say of a task, under the names that the API has for it. */

/** A value of the file. */
export interface Written {
  readonly value: unknown;
  /** The text, or a number just as it was written; undefined for anything else. */
  readonly text?: string;
}
type Reading = { readonly value: unknown } | { readonly fault: string };
type Read = (written: Written) => Reading;

function text(charactersMax: number): Read {
  return ({ text }) => {
    if (text === undefined) return { fault: 'must be text: put it in quotation marks' };
    if (text.trim() === '') return { fault: 'must not be empty' };
    if (!text.isWellFormed()) return { fault: 'must be whole characters' };
    return text.length > charactersMax ? { fault: tooLong(text, charactersMax) } : { value: text };
  };
}

export function tooLong(text: string, charactersMax: number): string {
  return `has ${text.length} characters, and ${charactersMax} are the limit`;
}

function oneOf(words: readonly string[]): Read {
  return ({ text = '' }) =>
    words.includes(text) ? { value: text } : { fault: `must be one of ${words.join(', ')}` };
}

function whole(min: number, max: number): Read {
  return ({ value }) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
      ? { value }
      : { fault: `must be a whole number from ${min} to ${max}` };
}

function several(itemsMax: number): Read {
  const read = text(limits.identifierCharactersMax);
  return ({ value }) => {
    if (!Array.isArray(value)) return { fault: 'must be a list, such as [one, two]' };
    if (value.length > itemsMax) return { fault: `has more than ${itemsMax} items` };
    const items = (value as Written[]).map(read);
    const bad = items.find((it) => 'fault' in it);
    return bad ?? { value: items.flatMap((it) => ('value' in it ? [it.value] : [])) };
  };
}

const agent: Read = (written) => {
  const reading = oneOf(agentWords)(written);
  return 'fault' in reading ? reading : { value: agentOf(reading.value as AgentWord) };
};

const costMaxUsd = limits.taskCostNanoUsdMax / 1e9;

/** What a task may cost: more than nothing. */
export function isCost(text: string): boolean {
  const nanoUsd = nanoUsdFromDecimal(text) ?? 0;
  return nanoUsd > 0 && nanoUsd <= limits.taskCostNanoUsdMax;
}

/** It stays as it is written, so that nothing of it is lost. */
const budget: Read = ({ text = '' }) =>
  nanoUsdFromDecimal(text) === undefined
    ? { fault: 'must be US dollars such as 1.50, with at most nine digits after the point' }
    : { value: text };

const maxCost: Read = ({ text = '' }) =>
  isCost(text)
    ? { value: text }
    : { fault: `must be US dollars such as 1.50, more than 0 and at most ${costMaxUsd}` };

const shortText = text(limits.identifierCharactersMax);
const longText = text(limits.freeTextCharactersMax);

export const taskFields = {
  key: shortText,
  prompt: text(limits.promptCharactersMax),
  promptFile: longText,
  agent,
  model: shortText,
  lane: oneOf(lanes),
  shard: oneOf(shards),
  size: oneOf(sizes),
  directory: longText,
  repository: longText,
  ref: shortText,
  dependsOn: several(limits.dependenciesPerTaskMax),
  team: shortText,
  project: shortText,
  tags: several(limits.tagsPerTaskMax),
  budgetUsd: budget,
  maxCostUsd: maxCost,
  allowedTools: several(limits.agentToolsAllowedMax),
  timeoutMs: whole(1_000, limits.attemptMsMax),
  retries: whole(0, limits.attemptsPerTaskMax - 1),
  permissionMode: shortText,
  idempotencyKey: shortText,
} as const satisfies Readonly<Record<string, Read>>;
export type FieldName = keyof typeof taskFields;

/** What only one task can be. */
export const ownFields: ReadonlySet<FieldName> = new Set(['key', 'idempotencyKey']);

/** Of each pair only one can be said, so that a task that says one drops the other of the defaults. */
export const alternatives: readonly (readonly [FieldName, FieldName])[] = [
  ['prompt', 'promptFile'],
  ['directory', 'repository'],
  ['directory', 'ref'],
];

/** What is wrong with fields that are right one by one. */
export function conflictOf(
  said: Readonly<Partial<Record<FieldName, unknown>>>,
): string | undefined {
  const [prompts, places] = [said.prompt, said.directory].map((it) => it !== undefined);
  if (prompts && said.promptFile !== undefined) return 'give either a prompt or a promptFile';
  if (!prompts && said.promptFile === undefined) return 'it has neither a prompt nor a promptFile';
  if (places && said.repository !== undefined) return 'give either a directory or a repository';
  const isRefAlone = said.ref !== undefined && said.repository === undefined;
  return isRefAlone ? 'a ref is of a repository: give that, too' : undefined;
}
