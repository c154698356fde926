import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { formatUsd } from '#kernel/money.js';
import type { DataOf, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { clockAt, tableRows } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import {
  at,
  history,
  usageMetered,
  usageRecorded,
  usageStated,
  type Fact,
} from './session-facts.specification.js';
import { sessionsProjection } from './sessions.projection.js';
import { SessionsQueries } from './sessions.queries.js';
import { usageCut, type UsageItem } from './sessions.shapes.js';
import { usageProjection } from './usage.projection.js';
import { UsageQueries } from './usage.queries.js';

const projections = [sessionsProjection, usageProjection];

const who = fc.record({
  sessionId: fc.constantFrom('s1', 's2', 's3'),
  agent: fc.constantFrom('claude-code', 'codex'),
  model: fc.constantFrom('a', 'b'),
  project: fc.constantFrom('p', undefined),
  thread: fc.constantFrom('main', 'subagent'),
});
// Up to what one event can hold, so that sums leave the range in which doubles are exact.
const cost = fc.oneof(fc.nat(1_000), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const reasoning = fc.option(fc.nat(50));
const when = fc.integer({ min: 0, max: 3 * 24 * 60 }).map((minute) => at(minute - 4_320));

type Kind = DataOf<'UsageMetered'>['readings'][number]['kind'];
const reading = (kind: fc.Arbitrary<Kind>, amount: fc.Arbitrary<number>) =>
  fc.record({ kind, since: fc.constantFrom(at(0), at(1)), amount });

const requested = fc
  .tuple(who, fc.nat(5_000), fc.option(cost), reasoning, when)
  .map(([session, inputTokens, costNanoUsd, reasoningTokens, time]): Fact => [
    'UsageRecorded',
    usageRecorded({ ...session, inputTokens, costNanoUsd, reasoningTokens }),
    time,
  ]);
const stated = fc
  .tuple(who, fc.nat(5_000), fc.nat(20), when)
  .map(([{ project, thread, ...session }, inputTokens, key, time]): Fact => [
    'UsageStated',
    usageStated(time, { ...session, project, thread, inputTokens, key: `k${key}` }),
    time,
  ]);
const metered = fc
  .tuple(
    who,
    fc.constantFrom('delta', 'cumulative'),
    fc.array(
      fc.oneof(
        reading(fc.constantFrom('input', 'output', 'cacheRead', 'cacheCreation'), fc.nat(9_000)),
        reading(fc.constant('costNanoUsd'), cost),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    when,
  )
  .map(([session, temporality, readings, time]): Fact => [
    'UsageMetered',
    usageMetered({ ...session, temporality, readings }),
    time,
  ]);
const other = fc
  .tuple(who, fc.option(fc.nat(9_000)), when)
  .map(([session, postTokens, time]): Fact => {
    const { sessionId, agent } = session;
    const compaction = {
      trigger: 'auto',
      succeeded: true,
      preTokens: null,
      durationMs: 1,
    } as const;
    return ['ContextCompacted', { sessionId, agent, ...compaction, postTokens }, time];
  });
const timezones = fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/St_Johns');
const histories = fc
  .array(fc.oneof(requested, stated, metered, other), { minLength: 1, maxLength: 40 })
  .map((facts) => history(...facts));

let folder: string;
let files = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-models-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function build(
  batches: readonly (readonly RecordedDomainEvent[])[],
  restartAfter: boolean,
): string {
  const file = join(folder, `${files++}.db`);
  const open = () => ReadModelsWriter.open(file, projections, 0n, () => undefined);
  let writer = open();
  for (const batch of batches) {
    writer.apply(batch);
    if (!restartAfter) continue;
    writer.close();
    writer = reopened(file, batch);
  }
  writer.close();
  return file;
}

function reopened(file: string, batch: readonly RecordedDomainEvent[]): ReadModelsWriter {
  const head = batch.at(-1)?.position ?? 1_000n;
  return ReadModelsWriter.open(file, projections, head > 1_000n ? head : 1_000n, () => undefined);
}

function tablesOf(file: string) {
  const db = new Database(file, { readonly: true });
  const tables = projections.flatMap((it) => it.tables);
  const rows = tables.map((table) => tableRows(db, table));
  db.close();
  return rows;
}

/** Cuts into batches, each of which begins with some of the events of the one before. */
function cut(events: readonly RecordedDomainEvent[], sizes: readonly number[], overlap: number) {
  const batches: RecordedDomainEvent[][] = [];
  let start = 0;
  for (let turn = 0; start < events.length; turn += 1) {
    const end = start + (sizes[turn % sizes.length] ?? 1);
    batches.push(events.slice(Math.max(0, start - overlap), end));
    start = end;
  }
  return batches;
}

describe('Read models', () => {
  test('are the same however the log was cut, repeated and interrupted', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(histories, sizes, fc.nat(3), (events, batchSizes, overlap) => {
        const live = build(cut(events, batchSizes, overlap), true);
        const rebuilt = build([events], false);
        expect(tablesOf(live)).toEqual(tablesOf(rebuilt));
      }),
      { numRuns: 40 },
    );
  });

  test('agree on every total to the nano-dollar, in whatever order events were recorded', () => {
    fc.assert(
      fc.property(histories, timezones, (events, timezone) => {
        const models = new ReadModels(build([events], false));
        const sessions = new SessionsQueries(models, clockAt(at(59)));
        const usage = new UsageQueries(models);
        const wanted = totalOf(sessions.list({ limit: 500 }).items);
        for (const by of usageCut.options) {
          const answer = usage.list({ by, timezone, limit: 5_000 });
          expect([by, totalOf(answer.items)]).toEqual([by, wanted]);
          expect([by, totalOf([answer.total])]).toEqual([by, wanted]);
        }
        models.close();
      }),
      { numRuns: 60 },
    );
  });

  test('count the requests of a session that also sends metrics, and metrics where there are none', () => {
    const readings = [{ kind: 'input', since: at(0), amount: 1_000 } as const];
    const events = history(
      ['UsageMetered', usageMetered({ sessionId: 'both', readings }), at(1)],
      ['UsageRecorded', usageRecorded({ sessionId: 'both' }), at(2)],
      ['UsageMetered', usageMetered({ sessionId: 'metrics only', readings }), at(3)],
    );
    const models = new ReadModels(build([events], false));
    const sessions = new SessionsQueries(models, clockAt(at(59)));
    expect(sessions.find('both')).toMatchObject({
      usageSource: 'requests',
      tokens: { input: 10 },
      costUsd: '0.001000000',
    });
    expect(sessions.find('metrics only')).toMatchObject({
      usageSource: 'metrics',
      model: usageMetered().model,
      tokens: { input: 1_000 },
      costUsd: null,
    });
    expect(
      new UsageQueries(models).list({ by: 'hour', timezone: 'UTC', limit: 10 }).items,
    ).toMatchObject([{ key: at(0), tokens: { input: 1_010 }, requests: 1 }]);
    models.close();
  });
});

type Usage = Pick<UsageItem, 'tokens' | 'costUsd' | 'requests' | 'unpricedRequests'>;

function totalOf(items: readonly Usage[]) {
  const sum = (pick: (item: Usage) => number) =>
    items.reduce((all, it) => all + BigInt(pick(it)), 0n);
  const nanos = items.reduce((all, it) => all + BigInt((it.costUsd ?? '0').replace('.', '')), 0n);
  return {
    cost: formatUsd(nanos),
    requests: sum((it) => it.requests),
    unpriced: sum((it) => it.unpricedRequests),
    input: sum((it) => it.tokens.input),
    reasoning: sum((it) => it.tokens.reasoning ?? 0),
  };
}
