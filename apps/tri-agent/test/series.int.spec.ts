import Database from 'better-sqlite3';
import fc from 'fast-check';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { streamOf } from '#eventstore/vocabulary/vocabulary.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { meteredAmounts, meteredSeriesSchema } from '#libs/sessions/metered-usage.js';
import { claudeCode } from '#libs/telemetry/claude-code.translate.js';
import { gemini } from '#libs/telemetry/gemini.translate.js';
import type { MetricPoint } from '#libs/telemetry/otlp.records.js';
import { known, tell, type Client, type Counter, type Told } from './series.js';

const receivedAt = '2026-11-20T18:00:00.000Z';
const counted = ['input', 'output', 'cacheRead', 'cacheCreation', 'cost'] as const;
type Sums = Record<(typeof counted)[number], number>;

const db = new Database(':memory:');
db.exec(meteredSeriesSchema('series'));
const amountsOf = meteredAmounts(db, 'series');
afterAll(() => {
  db.close();
});

const tokens = { metric: 'gemini_cli.token.usage' };
const claudeTokens = { metric: 'claude_code.token.usage' };
const clients: Readonly<Record<Client['agent'], Client>> = {
  gemini: {
    agent: 'gemini',
    service: 'gemini-cli',
    types: { input: tokens, output: tokens, cache: tokens, thought: tokens, tool: tokens },
  },
  'claude-code': {
    agent: 'claude-code',
    service: 'claude-code',
    types: {
      input: claudeTokens,
      output: claudeTokens,
      cacheRead: claudeTokens,
      cacheCreation: claudeTokens,
      cost: { metric: 'claude_code.cost.usage', told: (nanoUsd) => nanoUsd / 1e9 },
    },
  },
};

const amount = fc.nat(9_999);
const use = fc
  .tuple(amount, amount, amount, amount, amount, fc.nat(1_000))
  .map(([prompt, output, thought, cacheCreation, cost, share]) => ({
    input: prompt,
    output,
    thought,
    cacheCreation,
    cost,
    tool: share % 3,
    // Of a prompt, some was cached: none, all, or a part.
    cache: Math.floor((prompt * share) / 1_000),
    cacheRead: share,
  }));
const plan = fc.record({
  used: fc.array(fc.tuple(fc.constantFrom(0, 1), use), { maxLength: 2 }),
  parts: fc.array(fc.record({ arrivals: fc.array(fc.nat(99), { maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
  deal: fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }),
});
const process = fc.array(plan, { minLength: 1, maxLength: 3 });
const sequence = fc.record({
  agent: fc.constantFrom('gemini' as const, 'claude-code' as const),
  temporality: fc.constantFrom('cumulative' as const, 'delta' as const),
  tellsStart: fc.boolean(),
  processes: fc.array(process, { minLength: 1, maxLength: 3 }),
  batchSizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
});

/** In the order in which parts arrive, some of them together. */
function batchesOf({ arrivals }: Told, sizes: readonly number[]): MetricPoint[][] {
  const inOrder = [...arrivals].sort((a, b) => a.when - b.when);
  const batches: MetricPoint[][] = [];
  for (let turn = 0; inOrder.length > 0; turn += 1) {
    const some = inOrder.splice(0, sizes[turn % sizes.length]);
    batches.push(some.flatMap(({ points }) => points));
  }
  return batches;
}

/** From points to what a read model adds up, the way exports go. */
async function readBack(agent: Client['agent'], batches: readonly MetricPoint[][]) {
  const translator = agent === 'gemini' ? gemini : claudeCode;
  const log = new MemoryLog();
  let stream = '';
  for (const records of batches) {
    const { drafts, rejected } = translator.translate({ signal: 'metrics', records }, receivedAt);
    if (rejected > 0) throw new Error(`${rejected} points were rejected.`);
    if (drafts[0] === undefined) continue;
    stream = streamOf(drafts[0].event);
    const events = drafts.map(({ event }) => event);
    await log.append(stream, 'any', events);
  }
  const sums: Sums = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0, cost: 0 };
  for (const { data } of stream === '' ? [] : await log.read(stream, 0, 10_000)) {
    const amounts = amountsOf(data as DataOf<'UsageMetered'>);
    for (const name of counted) {
      if (amounts[name] < 0) throw new Error(`${name} was taken back: ${amounts[name]}.`);
      sums[name] += amounts[name];
    }
  }
  return sums;
}

/** What was told of what truly happened. */
function oracle(agent: Client['agent'], { counters }: Told, temporality: 'delta' | 'cumulative') {
  const sums: Sums = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0, cost: 0 };
  for (const series of counters.values()) {
    const of = (type: string) => series.find((it) => it.type === type)!;
    const told = (type: string) => known(of(type), of(type).told, temporality);
    if (agent === 'gemini') {
      const both = new Set([...of('input').told].filter((it) => of('cache').told.has(it)));
      const ofBoth = (counter: Counter) => known(counter, both, temporality);
      sums.input += ofBoth(of('input')) - ofBoth(of('cache')) + told('tool');
      sums.output += told('output') + told('thought');
      sums.cacheRead += told('cache');
    } else {
      for (const name of counted) sums[name] += told(name);
    }
  }
  return sums;
}

describe('Series of counters', () => {
  test('come to what was told of them, shuffled, repeated, reset, in parts and with losses', async () => {
    let sessions = 0;
    await fc.assert(
      fc.asyncProperty(sequence, async (given) => {
        const { agent, temporality, processes, batchSizes } = given;
        const isStartTold = temporality === 'cumulative' || given.tellsStart;
        const sessionId = `session ${(sessions += 1)}`;
        const told = tell(clients[agent], sessionId, temporality, processes, isStartTold);
        const sums = await readBack(agent, batchesOf(told, batchSizes));
        expect(sums).toEqual(oracle(agent, told, temporality));
      }),
      { numRuns: 10_000 },
    );
  }, 300_000);
});
