import { createHash } from 'node:crypto';
import type { UsageToPrice } from '#kernel/price-shapes.js';
import { PriceBook } from '#kernel/prices.js';
import { readEntries } from './price-entries.decode.js';
import { pricesDecider } from './prices.decider.js';
import { shippedPrices } from './shipped-prices.js';

const events = pricesDecider.decide(shippedPrices, []);
const book = new PriceBook(
  events.reduce((state, event) => pricesDecider.evolve(state, event), pricesDecider.initial),
);

const million = 1_000_000;
const usage = (agent: string, model: string, given: Partial<UsageToPrice> = {}): UsageToPrice => ({
  agent,
  provider: { 'claude-code': 'anthropic', codex: 'openai', gemini: 'google' }[agent] ?? '',
  model,
  tier: null,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheCreationTokens: 0,
  cacheCreation1hTokens: null,
  occurredAt: '2026-11-20T10:00:00.000Z',
  ...given,
});
const dollars = (...asked: Parameters<typeof usage>): number | undefined => {
  const cost = book.costOf(usage(...asked));
  return cost === undefined ? undefined : cost.nanoUsd / 1e9;
};
const input = { inputTokens: million };

describe('The shipped prices', () => {
  test('are all sound, without gaps, and go in as one publication', () => {
    const { refused, warnings, prices } = readEntries(shippedPrices.entries);
    expect({ refused, warnings }).toEqual({ refused: [], warnings: [] });
    expect(prices).toHaveLength(shippedPrices.entries.length);
    expect(events).toHaveLength(1);
  });

  test('have another version whenever a figure is another: a log keeps a version as it first came', () => {
    const figures = createHash('sha256')
      .update(JSON.stringify(shippedPrices.entries))
      .digest('hex');
    expect([shippedPrices.priceVersion, figures.slice(0, 16)]).toEqual([
      'shipped-2026-11-21',
      'dfea9ae3e0df1cf9',
    ]);
  });

  test('have each figure where it belongs', () => {
    const model = 'claude-sonnet-4-5-20250929';
    const small = { occurredAt: '2026-01-10T00:00:00.000Z' };
    const of = (kind: Partial<UsageToPrice>) =>
      dollars('claude-code', model, { ...small, ...kind });
    const [n, many] = [100_000, 1_000_000];
    expect([
      of({ inputTokens: n }),
      of({ outputTokens: n }),
      of({ cacheReadTokens: n }),
      of({ cacheCreationTokens: n }),
      of({ cacheCreationTokens: n, cacheCreation1hTokens: n }),
    ]).toEqual([0.3, 1.5, 0.03, 0.375, 0.6]);
    expect([
      of({ inputTokens: many }),
      of({ cacheReadTokens: many }),
      of({ cacheCreationTokens: many }),
      of({ cacheCreationTokens: many, cacheCreation1hTokens: many }),
    ]).toEqual([6, 0.6, 7.5, 12]);
  });

  test.each([
    ['claude-code', 'claude-opus-4-5-20251101', 5],
    ['claude-code', 'claude-haiku-4-5-20251001', 1],
    ['claude-code', 'claude-haiku-4-5', 1],
    ['claude-code', 'claude-opus-4-1-20250805', 15],
    ['claude-code', 'claude-opus-4-20250514', 15],
    ['claude-code', 'claude-sonnet-4-20250514', 3],
    ['claude-code', 'claude-3-7-sonnet-20250219', 3],
    ['claude-code', 'claude-3-5-haiku-20241022', 0.8],
    ['claude-code', 'claude-opus-5-5', 4],
    ['claude-code', 'claude-opus-5-20260701', 5],
    ['codex', 'gpt-5', 1.25],
    ['codex', 'gpt-5-codex', 1.25],
    ['codex', 'gpt-5-2025-08-07', 1.25],
    ['codex', 'gpt-5-mini', 0.25],
    ['codex', 'gpt-5.1-codex-max', 1.25],
    ['codex', 'gpt-5.5', 10],
    ['codex', 'gpt-5.6-sol', 8],
    ['codex', 'gpt-6-sol', 4],
    ['codex', 'gpt-4.1', 2],
    ['codex', 'o4-mini', 1.1],
    ['codex', 'o3', 2],
    ['gemini', 'gemini-2.0-flash', 0.1],
    ['gemini', 'gemini-2.5-pro', 2.5],
    ['gemini', 'gemini-2.5-flash', 0.3],
    ['gemini', 'gemini-3.1-pro-preview-customtools', 4],
    ['gemini', 'gemini-3.5-flash-lite', 0.3],
  ])('know %s %s: a million input tokens cost $%d', (agent, model, cost) => {
    expect(dollars(agent, model, input)).toBe(cost);
  });

  test.each([
    ['claude-code', 'claude-haiku-5-5', {}],
    ['claude-code', 'claude-opus-4-6', { tier: 'fast' }],
    ['claude-code', 'claude-opus-4-5', { tier: 'batch' }],
    ['codex', 'gpt-6.1-sol', {}],
    ['codex', 'gpt-5-pro', { cacheReadTokens: 1 }],
    ['codex', 'gpt-oss-20b', {}],
    ['gemini', 'gemini-9-pro', {}],
  ])('do not make up a price of %s %s %j', (agent, model, given) => {
    expect(dollars(agent, model, { ...input, ...given })).toBeUndefined();
  });

  test.each([
    ['gpt-5.6-sol', '2026-08-20T23:59:59.999Z', 10],
    ['gpt-5.6-sol', '2026-08-21T00:00:00.000Z', 8],
    ['claude-opus-4-6', '2026-03-12T23:59:59.999Z', 10],
    ['claude-opus-4-6', '2026-03-13T00:00:00.000Z', 5],
  ])('follow the changes of %s: at %s $%d', (model, occurredAt, cost) => {
    const agent = model.startsWith('claude') ? 'claude-code' : 'codex';
    expect(dollars(agent, model, { ...input, occurredAt })).toBe(cost);
  });

  test.each([
    ['gemini', 'gemini-2.5-pro', 200_000, 0.25],
    ['gemini', 'gemini-2.5-pro', 200_001, 0.5000025],
    ['codex', 'gpt-5.4', 271_999, 0.6799975],
    ['codex', 'gpt-5.4', 272_000, 1.36],
  ])('follow the size of the prompt: %s %s with %d tokens $%d', (agent, model, tokens, cost) => {
    expect(dollars(agent, model, { inputTokens: tokens })).toBe(cost);
  });
});
