import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { formatUsd } from '#kernel/money.js';
import type { BudgetState } from '#libs/budgets/budgets-state.js';
import { Spend, type Figure } from '#libs/budgets/spend.js';
import { NoEstimate } from '#libs/budgets/spend-source.js';
import { defaultThresholds } from '#libs/budgets/steps.js';
import { TouchedUsage } from '#libs/budgets/touched.js';
import { sessionsProjections } from '#libs/sessions/projections.js';
import { SpendQueries } from '#libs/sessions/spend.queries.js';
import {
  usageMetered,
  usageRecorded,
  usageStated,
  type Fact,
} from '#libs/sessions/session-facts.specification.js';
import { usageQuery } from '#libs/sessions/sessions.shapes.js';
import { UsageQueries } from '#libs/sessions/usage.queries.js';
import { statedKeyOf } from '#eventstore/vocabulary/usage.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { recorded } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { SpendOfUsage } from '../src/spend-of-usage.js';

/** What a budget shows as spent is what usage shows of the same range, to the nano-dollar. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** On the next Sunday clocks are set back in Berlin. */
const START = Date.parse('2026-10-23T20:59:10.000Z');

let folder: string;
let writer: ReadModelsWriter;
let models: ReadModels;
let usage: UsageQueries;
let positions = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'budgets-usage-'));
  const file = join(folder, 'read-models.db');
  writer = ReadModelsWriter.open(file, sessionsProjections, 0n, () => undefined);
  models = new ReadModels(file);
  usage = new UsageQueries(models);
});
afterEach(() => {
  models.close();
  writer.close();
  rmSync(folder, { recursive: true });
});

const spendOf = () => new Spend(new SpendOfUsage(new SpendQueries(models)), new NoEstimate());

function budget(scope: string, window: BudgetState['window'], timezone = 'UTC'): BudgetState {
  return {
    ...{ budgetId: `${scope} ${window} ${timezone}`, scope, window, timezone, origin: 'operator' },
    ...{ limit: { unit: 'nanoUsd', amount: 1e9 }, thresholds: defaultThresholds(window) },
    ...{ told: [], sinceMs: -Infinity, tripped: null, held: null },
  };
}

const scopes = ['all', 'team:core', 'project:shop', 'agent:codex', 'session:s2', 'model:m-1'];
const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu'];
const budgets = scopes.flatMap((scope) => [
  ...(['block', 'total'] as const).map((window) => budget(scope, window)),
  ...(['day', 'week', 'month'] as const).flatMap((window) =>
    zones.map((zone) => budget(scope, window, zone)),
  ),
]);

interface Sums {
  readonly costUsd: string;
  readonly tokens: number;
  readonly unpricedRequests: number;
}

type Asked = Partial<Record<'since' | 'until', string>>;
const asked = ({ scope }: BudgetState, by: string, range: Asked = {}) => {
  const [kind = '', name] = scope.split(':');
  return usageQuery.parse({ by, ...range, ...(name !== undefined && { [kind]: name }) });
};

function asUsageTells(it: BudgetState, { window }: Figure): Sums {
  const since = new Date(window.startMs).toISOString();
  const until = window.endMs === null ? {} : { until: new Date(window.endMs).toISOString() };
  const { total } = usage.list(asked(it, 'agent', { since, ...until }));
  const { input, output, cacheRead, cacheCreation } = total.tokens;
  return {
    costUsd: total.costUsd ?? formatUsd(0n),
    tokens: input + output + cacheRead + cacheCreation,
    unpricedRequests: total.unpricedRequests,
  };
}

/** The block of five hours that usage tells of now, if there is one. */
function blockNow(it: BudgetState, nowMs: number): number | undefined {
  const blocks = usage.list(asked(it, 'block')).items;
  const now = blocks.find(
    ({ key, endsAt = '' }) => Date.parse(key) <= nowMs && nowMs < Date.parse(endsAt),
  );
  return now && Date.parse(now.key);
}

async function look(spend: Spend, touched: TouchedUsage, nowMs: number, of = budgets) {
  const news = touched.take();
  await spend.prepare(of, nowMs, news);
  return spend.look(of, nowMs, news).figures;
}

async function expectEqual(spend: Spend, touched: TouchedUsage, nowMs: number): Promise<void> {
  const figures = await look(spend, touched, nowMs);
  for (const it of budgets) {
    const figure = figures.get(it.budgetId);
    if (figure === undefined) throw new Error(`${it.budgetId} was not looked at.`);
    const { nanoUsd, tokens, unpricedRequests } = figure.spent;
    const shown: Sums = { costUsd: formatUsd(BigInt(nanoUsd)), tokens, unpricedRequests };
    expect([it.budgetId, shown]).toEqual([it.budgetId, asUsageTells(it, figure)]);
    if (it.window !== 'block') continue;
    expect([it.budgetId, figure.window.startMs]).toEqual([
      it.budgetId,
      blockNow(it, nowMs) ?? figure.window.startMs,
    ]);
  }
}

/** Happens, is in the read models, and is told to whoever gathers what to look at again. */
function happen(touched: TouchedUsage, nowMs: number, facts: readonly Fact[]): void {
  const events: RecordedDomainEvent[] = facts.map(([type, data, occurredAt]) => {
    positions += 1;
    return recorded(positions, type, data, occurredAt, new Date(nowMs).toISOString());
  });
  writer.apply(events);
  for (const event of events) touched.add(event);
}

/** How long before it is told something happened: mostly seconds, at times days. */
const ago = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 5_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 12 * HOUR_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 * DAY_MS }) },
);
const kind = fc.constantFrom('recorded', 'stated', 'twice', 'metered', 'repriced');
const happening = fc.record({
  ...{ kind, ago },
  cost: fc.option(fc.integer({ min: 0, max: 3e9 })),
  who: fc.integer({ min: 0, max: 3 }),
  model: fc.integer({ min: 0, max: 1 }),
});
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;
const steps = fc.array(
  fc.record({
    passes: fc.oneof(
      fc.integer({ min: 0, max: 90_000 }),
      fc.integer({ min: 0, max: 20 * HOUR_MS }),
    ),
    happenings: fc.array(happening, { maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 12 },
);

const people = [
  { sessionId: 's0', team: 'core' },
  { sessionId: 's1', team: 'core', project: 'shop' },
  { sessionId: 's2' },
  { sessionId: 's3', agent: 'codex' },
] as const;
const statedIds: string[] = [];

function factsOf({ kind, ago, cost, who, model }: Happening, nowMs: number, n: number): Fact[] {
  const at = new Date(nowMs - ago).toISOString();
  const priced = {
    ...{
      costNanoUsd: cost,
      costOrigin: cost === null ? ('unknown' as const) : ('computed' as const),
    },
    ...{ computedNanoUsd: cost, model: `m-${model}`, inputTokens: n, requestId: `r-${nowMs}-${n}` },
  } as const;
  const person = people[who] ?? people[0];
  const { sessionId } = person;
  const agent = 'agent' in person ? person.agent : 'claude-code';
  const stated = usageStated(at, { ...priced, sessionId, agent, project: 'shop' });
  const told: Fact = ['UsageRecorded', usageRecorded({ ...priced, ...person }), at];
  const [request] = stated.requests;
  if (kind === 'stated' || kind === 'twice') {
    if (request !== undefined) statedIds.push(hash('sha1', statedKeyOf(agent, request)));
  }
  switch (kind) {
    case 'recorded':
      return [told];
    case 'stated':
      return [['UsageStated', stated, at]];
    case 'twice':
      return [['UsageStated', stated, at], told];
    case 'metered': {
      const readings = [{ kind: 'costNanoUsd' as const, since: at, amount: cost ?? 1 }];
      const recent = new Date(nowMs - (ago % DAY_MS)).toISOString();
      return [['UsageMetered', usageMetered({ sessionId, agent, at: recent, readings }), recent]];
    }
    case 'repriced': {
      const usageId = statedIds[n % Math.max(1, statedIds.length)] ?? 'nobody';
      const news = { usageId, computedNanoUsd: cost, priceVersion: 'v2' };
      return [['UsageRepriced', { sessionId, agent, ...news }, at]];
    }
  }
}

test('Whatever comes in, in whichever order, every budget shows what usage shows', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (course) => {
      const spend = spendOf();
      const touched = new TouchedUsage();
      let nowMs = START;
      for (const { passes, happenings } of course) {
        nowMs += passes;
        happen(
          touched,
          nowMs,
          happenings.flatMap((it, n) => factsOf(it, nowMs, n)),
        );
        await expectEqual(spend, touched, nowMs);
      }
      writer.close();
      models.close();
      rmSync(join(folder, 'read-models.db'), { force: true });
      rmSync(join(folder, 'read-models.db-wal'), { force: true });
      rmSync(join(folder, 'read-models.db-shm'), { force: true });
      const file = join(folder, 'read-models.db');
      writer = ReadModelsWriter.open(file, sessionsProjections, 0n, () => undefined);
    }),
    { numRuns: 8 },
  );
});

test('A window of 60 seconds shows what usage shows of that minute', async () => {
  const spend = spendOf();
  const touched = new TouchedUsage();
  const minuteMs = Math.ceil(START / 60_000) * 60_000;
  const costs = [-1, 0, 30_000, 59_999, 60_000].map((offset, index): Fact => [
    'UsageRecorded',
    usageRecorded({ requestId: `r${index}`, costNanoUsd: 10 ** index }),
    new Date(minuteMs + offset).toISOString(),
  ]);
  happen(touched, minuteMs + 90_000, costs);
  const [pace] = [budget('all', 'minute')];
  const figures = await look(spend, touched, minuteMs + 59_999, [pace]);
  expect(figures.get(pace.budgetId)?.spent.nanoUsd).toBe(1_110);
  const query = usageQuery.parse({
    by: 'agent',
    since: new Date(minuteMs).toISOString(),
    until: new Date(minuteMs + 60_000).toISOString(),
  });
  expect(usage.list(query).total.costUsd).toBe('0.000001110');
});

test('A day lasts as long as the calendar of its place says, also where clocks change', async () => {
  const lengths = async (time: string) => {
    const day = budget('all', 'day', 'Europe/Berlin');
    const figures = await look(spendOf(), new TouchedUsage(), Date.parse(time), [day]);
    const { startMs = 0, endMs = 0 } = figures.get(day.budgetId)?.window ?? {};
    return [new Date(startMs).toISOString(), ((endMs ?? 0) - startMs) / HOUR_MS];
  };
  expect(await lengths('2026-10-25T12:00:00.000Z')).toEqual(['2026-10-24T22:00:00.000Z', 25]);
  expect(await lengths('2026-03-29T12:00:00.000Z')).toEqual(['2026-03-28T23:00:00.000Z', 23]);
  expect(await lengths('2026-11-20T23:30:00.000Z')).toEqual(['2026-11-20T23:00:00.000Z', 24]);
});
