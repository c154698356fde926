import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { noUsage, type UsageAmounts } from './usage-sums.js';

/** What several readings of one event can add up to: no more than one reading can be. */
const largest = Number.MAX_SAFE_INTEGER;

type Metered = DataOf<'UsageMetered'>;
type Reading = Metered['readings'][number];

/** The table in which a projection remembers how far each counter has come since which start. */
export function meteredSeriesSchema(table: string): string {
  return `CREATE TABLE ${table} (
    series TEXT NOT NULL,
    since TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (series, since)
  ) STRICT, WITHOUT ROWID;`;
}

/**
 * Turns readings into what they add, which is never negative and comes to the same whatever order
 * they arrive in, however they are spread over events, and how often they are repeated.
 *
 * A reading adds what it exceeds the highest one of its counter since the same start: a late one adds
 * nothing, a reset is a new start, a fall without one is no news. A delta is the whole of its time,
 * so that only its own repetition is measured against it.
 */
export function meteredAmounts(db: Database, table: string): (data: Metered) => UsageAmounts {
  const memory = remembered(db, table);
  return (data) => {
    const sums = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0, costNanoUsd: 0 };
    let reasoning: number | null = null;
    let priced = 0;
    for (const reading of [...data.readings, ...inputsOf(data, memory)]) {
      const { kind } = reading;
      if (kind === 'prompt') continue;
      const increase = memory.increase(data, reading);
      const column = columnOf(kind);
      sums[column] = Math.min(sums[column] + increase, largest);
      if (kind === 'thoughts') reasoning = Math.min((reasoning ?? 0) + increase, largest);
      if (kind === 'costNanoUsd') priced = 1;
    }
    const { costNanoUsd: cost, ...tokens } = sums;
    const reasoningTold = reasoning === null ? 0 : 1;
    return { ...noUsage, ...tokens, cost, priced, reasoning: reasoning ?? 0, reasoningTold };
  };
}

function columnOf(kind: Exclude<Reading['kind'], 'prompt'>) {
  if (kind === 'thoughts') return 'output';
  return kind === 'promptCached' ? 'cacheRead' : kind;
}

/**
 * What of the prompts was not cached, as readings of their own. An export may come in parts: a prompt
 * without its cached part waits for it, and the other way round, since to take one from the other's
 * past would count tokens twice.
 */
function inputsOf(data: Metered, memory: Memory): Reading[] {
  const of = (kind: Reading['kind']) => data.readings.filter((reading) => reading.kind === kind);
  const inputs: Reading[] = [];
  const input = (prompt: Half | undefined, cached: Half | undefined, series = '') => {
    if (prompt === undefined || cached === undefined) return;
    const amount = Math.max(0, prompt.amount - cached.amount);
    inputs.push({ kind: 'input', series: `uncached ${series}`, since: prompt.since, amount });
  };
  const alone = new Set(of('promptCached'));
  for (const prompt of of('prompt')) {
    const cached = [...alone].find(({ series }) => series === prompt.series);
    if (cached !== undefined) alone.delete(cached);
    input(prompt, cached ?? memory.otherHalf(data, prompt), prompt.series);
  }
  for (const cached of alone) input(memory.otherHalf(data, cached), cached, cached.series);
  return inputs;
}

type Half = Pick<Reading, 'since' | 'amount'>;
type Memory = ReturnType<typeof remembered>;

function remembered(db: Database, table: string) {
  const amountOf = db
    .prepare<[string, string], number>(`SELECT amount FROM ${table} WHERE series = ? AND since = ?`)
    .pluck();
  const halfOf = db.prepare<[string], Half>(
    `SELECT since, amount FROM ${table} WHERE series = ? LIMIT 1`,
  );
  const remember = db.prepare<[string, string, number]>(
    `INSERT INTO ${table} VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET amount = excluded.amount`,
  );
  return {
    increase(data: Metered, { kind, series, since, amount }: Reading): number {
      const isDelta = data.temporality === 'delta';
      // Nothing tells such a one from its repetition but the event's id.
      if (isDelta && data.at === null) return amount;
      const key = keyOf(data, kind, series, isDelta ? data.at : null);
      const before = amountOf.get(key, since);
      if (before !== undefined && amount <= before) return 0;
      remember.run(key, since, amount);
      return amount - (before ?? 0);
    },

    /** Keeps a half that came alone, and returns the other if that came alone before. */
    otherHalf(data: Metered, { kind, series, since, amount }: Reading): Half | undefined {
      if (data.at === null) return undefined;
      remember.run(keyOf(data, `only ${kind}`, series, data.at), since, amount);
      const other = kind === 'prompt' ? 'promptCached' : 'prompt';
      return halfOf.get(keyOf(data, `only ${other}`, series, data.at));
    },
  };
}

/** A digest: the names of a series take hundreds of bytes, and there is a row for every delta. */
function keyOf(data: Metered, kind: string, series: string | undefined, at: string | null): string {
  const { agent, sessionId, provider, model, thread, subagentId, subagentType, temporality } = data;
  const writer = [agent, sessionId, provider, model, thread, subagentId, subagentType, temporality];
  const key = JSON.stringify([...writer, kind, series, at]);
  return createHash('sha256').update(key).digest('base64url').slice(0, 22);
}
