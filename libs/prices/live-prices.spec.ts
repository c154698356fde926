import { LogError } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { PRICES_STREAM } from '#eventstore/vocabulary/prices.events.js';
import type { RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { PriceBook } from '#kernel/prices.js';
import { clockAt } from '#platform/projection.specification.js';
import { LivePrices } from './live-prices.js';
import { entry } from './price-entry.specification.js';
import type { PublishEntries } from './prices.decider.js';
import { shippedPrices } from './shipped-prices.js';

const clock = clockAt('2026-11-20T10:00:00.000Z');
const running: LivePrices[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((it) => it.stop()));
});

/** A process on this log. */
async function start(log: MemoryLog, reports: string[] = []): Promise<LivePrices> {
  const prices = new LivePrices(log, clock, (sentence) => reports.push(sentence));
  running.push(prices);
  await prices.start();
  return prices;
}

let count = 0;
function publish(prices: LivePrices, entries: unknown[]) {
  count += 1;
  const command: PublishEntries = {
    priceVersion: `operator-${count}`,
    origin: 'operator',
    source: '',
    entries,
  };
  const commandId = `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
  const occurredAt = '2026-11-20T10:00:00.000Z';
  return prices.publish(command, { commandId, actor: 'operator:test', source: 'test', occurredAt });
}

function costOf(prices: LivePrices, model: string): number | undefined {
  return prices.costOf({
    agent: 'claude-code',
    provider: 'anthropic',
    model,
    tier: null,
    inputTokens: 1_000_000,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheCreationTokens: 0,
    cacheCreation1hTokens: null,
    occurredAt: '2026-11-20T10:00:00.000Z',
  })?.nanoUsd;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('The price book of a process', () => {
  test('knows the shipped prices from its start on', async () => {
    const prices = await start(new MemoryLog());
    expect(costOf(prices, 'claude-haiku-4-5')).toBe(1e9);
  });

  test('has the shipped prices published once, by however many processes and starts', async () => {
    const log = new MemoryLog();
    await Promise.all([start(log), start(log), start(log)]);
    await start(log);
    const events = await log.read(PRICES_STREAM, 0, 10);
    expect(events).toMatchObject([
      { type: 'PricesPublished', data: { priceVersion: shippedPrices.priceVersion } },
    ]);
  });

  test('counts what was published here at once', async () => {
    const prices = await start(new MemoryLog());
    expect(costOf(prices, 'm')).toBeUndefined();
    await publish(prices, [entry()]);
    expect(costOf(prices, 'm')).toBe(3e9);
  });

  test('takes an operator price before the shipped one of the same model', async () => {
    const prices = await start(new MemoryLog());
    await publish(prices, [entry({ model: 'claude-haiku-4-5' })]);
    expect(costOf(prices, 'claude-haiku-4-5-20251001')).toBe(3e9);
  });

  test('sees what another process published, by itself', async () => {
    const log = new MemoryLog();
    const [here, there] = [await start(log), await start(log)];
    await publish(there, [entry()]);
    await until(() => costOf(here, 'm') === 3e9);
  });

  test('tells workers what counts from now on, of an agent, and comes to the same costs there', async () => {
    const prices = await start(new MemoryLog());
    const ended = { model: 'old', validFrom: '2026-01-01', validUntil: '2026-11-20' };
    await publish(prices, [entry(), entry(ended), entry({ provider: 'openai', model: 'other' })]);
    const told = prices.inForce('claude-code', 'a gateway');
    const models = told.flatMap((it) => it.prices.map(({ model }) => model));
    expect(models.slice(0, 1)).toEqual(['m']);
    expect(models).toContain('claude-haiku-4-5');
    expect(models.filter((it) => !it.startsWith('claude-'))).toEqual(['m']);
    const book = new PriceBook(told);
    const usage = { inputTokens: 7, outputTokens: 5, cacheReadTokens: 3, cacheCreationTokens: 2 };
    const when = { cacheCreation1hTokens: null, occurredAt: '2026-11-20T10:00:00.000Z' };
    const who = { agent: 'claude-code', provider: 'anthropic', tier: null };
    for (const model of models) {
      const request = { ...who, ...usage, ...when, model };
      expect(book.costOf(request)).toEqual(prices.costOf(request));
    }
  });

  test('tells workers no more prices than they can use, the newest first', async () => {
    const prices = await start(new MemoryLog());
    const entries = Array.from({ length: limits.pricesToldMax }, (_, at) =>
      entry({ model: `m${at}` }),
    );
    await publish(prices, entries);
    const told = prices.inForce('claude-code', 'anthropic');
    expect(told.map((it) => [it.origin, it.prices.length])).toEqual([
      ['operator', limits.pricesToldMax],
    ]);
  });

  test('is the same after a restart', async () => {
    const log = new MemoryLog();
    const first = await start(log);
    await publish(first, [entry()]);
    await first.stop();
    const second = await start(log);
    expect(second.publications).toEqual(first.publications);
    expect(costOf(second, 'm')).toBe(3e9);
  });

  test('loses none of two publications at the same time, in one process or in two', async () => {
    const log = new MemoryLog();
    const [here, there] = [await start(log), await start(log)];
    const models = ['a', 'b', 'c', 'd'];
    await Promise.all(
      models.flatMap((model) => [
        publish(here, [entry({ model })]),
        publish(there, [entry({ model: `${model}2` })]),
      ]),
    );
    await until(() => here.publications.length === 9 && there.publications.length === 9);
    for (const model of models) {
      expect([here, there].map((it) => costOf(it, model))).toEqual([3e9, 3e9]);
      expect([here, there].map((it) => costOf(it, `${model}2`))).toEqual([3e9, 3e9]);
    }
  });
});

/** A log that cannot be read for a while. */
class FailingLog extends MemoryLog {
  failure: Error | undefined;
  reads = 0;

  override read(...call: Parameters<MemoryLog['read']>): Promise<RecordedEvent[]> {
    this.reads += 1;
    return this.failure === undefined ? super.read(...call) : Promise.reject(this.failure);
  }
}

describe('While the log cannot be read, the price book', () => {
  test.each([
    new LogError('LOG_UNAVAILABLE', 'The disk is full.'),
    new LogError('LOG_TOO_NEW', 'A newer program wrote it.'),
    new SyntaxError('A row is damaged.'),
  ])('stays as it was, tells once that it was %s, and follows again', async (failure) => {
    const log = new FailingLog();
    const there = await start(log);
    const reports: string[] = [];
    const here = await start(log, reports);
    await publish(there, [entry()]);
    log.failure = failure;
    const readsBefore = log.reads;
    await until(() => log.reads > readsBefore + 5);
    expect(costOf(here, 'claude-haiku-4-5')).toBe(1e9);
    expect(reports).toEqual([`The price book does not follow the log: ${failure.message}`]);
    log.failure = undefined;
    await until(() => costOf(here, 'm') === 3e9);
  });

  test('is empty if that was so at the start, and has the shipped prices as soon as it can', async () => {
    const log = new FailingLog();
    log.failure = new LogError('LOG_UNAVAILABLE', 'The disk is full.');
    const prices = await start(log);
    expect(costOf(prices, 'claude-haiku-4-5')).toBeUndefined();
    log.failure = undefined;
    await until(() => costOf(prices, 'claude-haiku-4-5') === 1e9);
  });
});
