import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { sessionStream } from '#eventstore/vocabulary/session.events.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { NewEvent } from '#kernel/event.js';
import { PriceBook } from '#kernel/prices.js';
import type { PublishedPrices, UsageToPrice } from '#kernel/price-shapes.js';
import { clockAt } from '#platform/projection.specification.js';
import { PriceSource } from '#platform/price-source.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { CorrectUsage, CorrectUsageHandler } from './correct-usage.js';
import type { CorrectionsBody } from './corrections.shapes.js';
import { sessionsProjections } from './projections.js';
import { at, usageRecorded } from './session-facts.specification.js';
import { UsageQueries } from './usage.queries.js';

/** A dollar per million tokens of input and nothing else, from a version of the price book on. */
function inputAt(dollars: number, priceVersion: string, order: number): PublishedPrices {
  const rates = { input: dollars * 1e9, output: 0, cacheRead: 0, cacheCreation: 0 };
  return {
    ...{ priceVersion, order, origin: 'operator' },
    prices: [
      {
        ...{ provider: 'openai', model: 'gpt*', tier: 'standard', promptTokensAbove: 0 },
        ...{ validFrom: at(-9_999), validUntil: null },
        nanoUsdPerMillionTokens: { ...rates, cacheCreation1h: 0 },
      },
    ],
  };
}

let folder: string;
let log: MemoryLog;
let writer: ReadModelsWriter;
let models: ReadModels;
let book: PriceBook;
let handler: CorrectUsageHandler;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'corrections-'));
  log = new MemoryLog(() => new Date(at(59)));
  const file = join(folder, 'read-models.db');
  writer = ReadModelsWriter.open(file, sessionsProjections, 0n, () => undefined);
  models = new ReadModels(file);
  book = new PriceBook();
  const prices = new (class extends PriceSource {
    override costOf = (usage: UsageToPrice) => book.costOf(usage);
  })();
  handler = new CorrectUsageHandler(log, models, prices, clockAt(at(59)));
});
afterEach(() => {
  models.close();
  writer.close();
  rmSync(folder, { recursive: true });
});

/** Tells the read models what the log holds beyond what they know. */
async function project(): Promise<void> {
  for await (const batch of log.follow(writer.position, { signal: AbortSignal.timeout(60_000) })) {
    writer.apply(batch);
    if (writer.position === (await log.head())) return;
  }
}

function used(
  id: number,
  minute: number,
  changes: Partial<DataOf<'UsageRecorded'>> = {},
): NewEvent {
  const unpriced = { costNanoUsd: null, costOrigin: 'unknown' } as const;
  const whose = { agent: 'codex', provider: 'openai', model: 'gpt-6' } as const;
  return {
    id: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
    type: 'UsageRecorded',
    data: usageRecorded({ ...whose, ...unpriced, inputTokens: 1_000_000, ...changes }),
    metadata: { actor: 'agent:codex', source: 'specification', occurredAt: at(minute) },
  };
}

async function use(minute: number, changes: Partial<DataOf<'UsageRecorded'>> = {}): Promise<void> {
  await log.append(sessionStream('codex', 's1'), 'any', [used(minute, minute, changes)]);
  await project();
}

async function correct(wish: Partial<CorrectionsBody> = {}) {
  const answer = await handler.execute(new CorrectUsage({ since: at(0), dryRun: false, ...wish }));
  if ((await log.head()) > writer.position) await project();
  return answer;
}

const cost = () => new UsageQueries(models).list({ by: 'day', timezone: 'UTC', limit: 9 }).total;
const typesInLog = async () =>
  (await log.read(sessionStream('codex', 's1'), 0, 99)).map(({ type }) => type);

describe('Applying prices', () => {
  test('prices what had none, in every sum, and history shows both', async () => {
    await use(1);
    expect(cost()).toMatchObject({ costUsd: null, unpricedRequests: 1 });
    book = new PriceBook([inputAt(2, 'v1', 1)]);
    expect(await correct()).toEqual({
      checkedRequests: 1,
      correctedRequests: 1,
      unpricedRequests: 0,
      costDifferenceUsd: '2.000000000',
      nextCursor: null,
    });
    expect(cost()).toMatchObject({
      costUsd: '2.000000000',
      computedCostUsd: '2.000000000',
      unpricedRequests: 0,
    });
    expect(await typesInLog()).toEqual(['UsageRecorded', 'UsageRepriced']);
  });

  test('twice changes nothing more, whether or not the first has been projected', async () => {
    await use(1);
    book = new PriceBook([inputAt(2, 'v1', 1)]);
    await handler.execute(new CorrectUsage({ since: at(0), dryRun: false }));
    await correct();
    expect(await correct()).toMatchObject({ correctedRequests: 0 });
    expect(await typesInLog()).toEqual(['UsageRecorded', 'UsageRepriced']);
  });

  test('follows prices back and forth', async () => {
    await use(1);
    for (const [dollars, version] of [
      [2, 'v1'],
      [3, 'v2'],
      [2, 'v3'],
    ] as const) {
      book = new PriceBook([inputAt(dollars, version, 1)]);
      await correct();
      expect(cost()).toMatchObject({ costUsd: `${dollars}.000000000` });
    }
    book = new PriceBook();
    expect(await correct()).toMatchObject({
      costDifferenceUsd: '-2.000000000',
      unpricedRequests: 1,
    });
    expect(cost()).toMatchObject({ costUsd: null });
    book = new PriceBook([inputAt(2, 'v1', 1)]);
    await correct();
    expect(cost()).toMatchObject({ costUsd: '2.000000000' });
  });

  test('leaves what the agent reported, and shows the difference', async () => {
    await use(1, { costNanoUsd: 5, costOrigin: 'reported' });
    book = new PriceBook([inputAt(2, 'v1', 1)]);
    expect(await correct()).toMatchObject({ costDifferenceUsd: '0.000000000' });
    expect(cost()).toMatchObject({
      costUsd: '0.000000005',
      priceCheck: { computedUsd: '2.000000000', differenceUsd: '-1.999999995' },
    });
  });

  test('keeps to the time that was asked for', async () => {
    await use(1);
    await use(2);
    await use(3);
    book = new PriceBook([inputAt(2, 'v1', 1)]);
    await correct({ since: at(2), until: at(3) });
    expect(cost()).toMatchObject({ costUsd: '2.000000000', unpricedRequests: 2 });
  });

  test('only tells what it would do when that is asked for', async () => {
    await use(1);
    book = new PriceBook([inputAt(2, 'v1', 1)]);
    expect(await correct({ dryRun: true })).toMatchObject({ costDifferenceUsd: '2.000000000' });
    expect(await typesInLog()).toEqual(['UsageRecorded']);
  });

  test('goes on from its cursor until all is done', async () => {
    const events = Array.from({ length: 1_001 }, (_, index) => used(index, 1));
    await log.append(sessionStream('codex', 's1'), 'any', events);
    await project();
    const start = await correct();
    expect(start).toMatchObject({ checkedRequests: 1_000 });
    const rest = await correct({ cursor: start.nextCursor! });
    expect(rest).toMatchObject({ checkedRequests: 1, nextCursor: null });
  });
});
