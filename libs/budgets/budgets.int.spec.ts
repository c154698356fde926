import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { NewEvent } from '#kernel/event.js';
import { Clock } from '#platform/clock.js';
import { randomUUID } from 'node:crypto';
import { Budgets } from './budgets.js';
import { budget } from './budgets.spec-helper.js';
import { ListedSpend, spentAt } from './listed-spend.spec-helper.js';
import { EstimatedSpend } from './spend-source.js';

const DAY_MS = 86_400_000;
const NOON = Date.parse('2026-11-20T12:00:00.000Z');
const reason = 'looked at it';
const operator = 'operator:test';

class Guess extends EstimatedSpend {
  amount = 0;
  override nanoUsd(): number {
    return this.amount;
  }
}

let log: MemoryLog;
let source: ListedSpend;
let guess: Guess;
let nowMs: number;
let budgets: Budgets;
let reported: string[];

function make(): Budgets {
  const clock = Object.assign(new Clock(), { now: () => nowMs });
  const defaults = { wanted: false, timezone: 'UTC' };
  const report = (sentence: string): void => void reported.push(sentence);
  return new Budgets({ log, source, estimated: guess, clock, defaults, report });
}

beforeEach(() => {
  [log, source, guess, nowMs, reported] = [
    new MemoryLog(),
    new ListedSpend(),
    new Guess(),
    NOON,
    [],
  ];
  budgets = make();
});
afterEach(() => budgets.stop());

/** Resolves when something was decided, or when something else stands. */
function news(): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const end = budgets.listen((events) => {
      end();
      resolve(events.map(({ type }) => type));
    });
  });
}

async function spend(nanoUsd: number, agoMs = 0): Promise<void> {
  source.list.push(spentAt(nowMs - agoMs, nanoUsd));
  await log.append('session-codex-s', 'any', [usage(nowMs - agoMs)]);
}

function usage(atMs: number): NewEvent {
  const data = {
    ...{ sessionId: 's', agent: 'codex', thread: 'main', provider: 'openai', model: 'm' },
    ...{ tier: null, inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheCreationTokens: 0 },
    ...{ cacheCreation1hTokens: null, reasoningTokens: null, costNanoUsd: 1 },
    ...{ costOrigin: 'reported', computedNanoUsd: null, priceVersion: null },
    ...{ durationMs: null, timeToFirstTokenMs: null },
  };
  const metadata = {
    actor: 'agent:codex',
    source: 'test',
    occurredAt: new Date(atMs).toISOString(),
  };
  return { id: randomUUID(), type: 'UsageRecorded', data, metadata };
}

const step = (): string | undefined => budgets.standings()[0]?.step;
const shut = (): (string | null)[] => budgets.readings().map((it) => it.shut);

describe('Budgets at work', () => {
  test('shut everything until it is known what was spent, and say why', async () => {
    expect(budgets.readings()).toMatchObject([
      { scope: 'all', shut: expect.stringContaining('not known') as string },
    ]);
    await budgets.start();
    expect(budgets.readings()).toEqual([]);
  });

  test('see usage as it comes in, and tell whoever listens', async () => {
    await budgets.start();
    await budgets.set(budget(), '', operator);
    expect([step(), shut()]).toEqual(['open', [null]]);
    const told = news();
    await spend(80);
    expect(await told).toEqual(['BudgetThresholdCrossed']);
    expect([step(), shut()]).toEqual([
      'gate',
      [expect.stringMatching(/^Budget b: .* a day \(80 %\)$/)],
    ]);
    expect(budgets.readings()).toMatchObject([{ limitNanoUsd: 100, spentNanoUsd: 80 }]);
  });

  test('are shut while the read model is not ready, and open again when it is', async () => {
    await budgets.start();
    await budgets.set(budget(), '', operator);
    source.isReady = false;
    const lost = news();
    await spend(1);
    expect(await lost).toEqual([]);
    expect(shut()).toEqual([expect.stringContaining('not known')]);
    expect(budgets.look()).toMatchObject([{ figure: null }]);
    const found = news();
    source.isReady = true;
    await found;
    expect(shut()).toEqual([null]);
    expect(reported).toHaveLength(1);
  });

  test('keep a trip over a restart, in which the money of a new day would be there', async () => {
    await budgets.start();
    await budgets.set(budget(), '', operator);
    const told = news();
    await spend(100);
    expect(await told).toEqual(['BudgetTripped']);
    await budgets.stop();
    nowMs += DAY_MS;
    budgets = make();
    await budgets.start();
    expect(step()).toBe('trip');
    await budgets.reset('b', reason, operator);
    expect([step(), shut()]).toEqual(['open', [null]]);
  });

  test('neither ease a trip nor tell a step twice when the clock jumps', async () => {
    await budgets.start();
    await budgets.set(budget({ window: 'minute', budgetId: 'a' }), '', operator);
    await budgets.set(budget(), '', operator);
    const told = news();
    await spend(100);
    expect(await told).toEqual(['BudgetTripped', 'BudgetTripped']);
    const another = (amount: number) =>
      budget({ budgetId: 'z', scope: 'team:none', limit: { unit: 'nanoUsd', amount } });
    for (const jump of [2 * DAY_MS, -2 * DAY_MS, -3_600_000, 3_600_000]) {
      nowMs += jump;
      // Whatever is set is looked at before it is answered.
      await budgets.set(another(nowMs), '', operator);
      const steps = budgets.standings().map((it) => it.step);
      expect(steps.slice(0, 2)).toEqual(['trip', 'trip']);
    }
    const events = await log.read('budgets', 0, 100);
    const tripped = events.filter(({ type }) => type === 'BudgetTripped');
    expect(tripped.map(({ data }) => (data as { budgetId: string }).budgetId)).toEqual(['a', 'b']);
  });

  test('count what is estimated, and say so', async () => {
    await budgets.start();
    await budgets.set(budget(), '', operator);
    guess.amount = 60;
    const told = news();
    await spend(45);
    expect(await told).toEqual(['BudgetTripped']);
    const [event] = (await log.read('budgets', 0, 10)).slice(-1);
    expect(event).toMatchObject({
      data: { spent: 105, estimated: 60 },
      metadata: { actor: 'budgets' },
    });
    expect(budgets.look()).toMatchObject([
      { figure: { spent: { nanoUsd: 45 }, estimatedNanoUsd: 60 } },
    ]);
  });

  test('of a pace, of tokens and of what claims do not know reserve nothing', async () => {
    await budgets.start();
    await budgets.set(budget({ budgetId: 'pace', window: 'minute' }), '', operator);
    await budgets.set(
      budget({ budgetId: 'tokens', limit: { unit: 'tokens', amount: 5 } }),
      '',
      operator,
    );
    await budgets.set(budget({ budgetId: 'user', scope: 'user:me' }), '', operator);
    await budgets.set(budget({ budgetId: 'model', scope: 'model:m' }), '', operator);
    expect(budgets.readings()).toMatchObject([
      { scope: 'all', limitNanoUsd: null },
      { scope: 'all', limitNanoUsd: null },
      { scope: 'model:m', limitNanoUsd: 100 },
    ]);
  });
});
