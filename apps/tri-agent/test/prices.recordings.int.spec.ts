import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Costing } from '#kernel/prices.js';
import { PriceBook } from '#kernel/prices.js';
import { pricesDecider } from '#libs/prices/prices.decider.js';
import { shippedPrices } from '#libs/prices/shipped-prices.js';
import { claudeCode } from '#libs/telemetry/claude-code.translate.js';
import { codex } from '#libs/telemetry/codex.translate.js';
import { gemini } from '#libs/telemetry/gemini.translate.js';
import { loadRecording, recordingGroups } from '#libs/telemetry/recordings.js';
import { decode } from '#libs/telemetry/recordings.spec-helper.js';

/** The client computes what it reports: the shipped prices must come to the same nano-dollar. */

const published = pricesDecider.decide(shippedPrices, pricesDecider.initial);
const book = new PriceBook(
  published.reduce((state, event) => pricesDecider.evolve(state, event), pricesDecider.initial),
);
const receivedAt = '2026-11-20T18:00:00.000Z';

interface Used {
  readonly data: DataOf<'UsageRecorded'>;
  readonly costing: Costing | undefined;
}

function usageIn(translator: typeof claudeCode, agent: string, group: string): Used[] {
  return loadRecording(group, agent)
    .bodies.flatMap(
      ({ signal, bytes }) => translator.translate(decode(signal, bytes), receivedAt).drafts,
    )
    .flatMap(({ event: { type, data, metadata } }) => {
      if (type !== 'UsageRecorded') return [];
      const { occurredAt } = metadata;
      return [{ data, costing: book.costOf({ ...data, occurredAt }) }];
    });
}

describe("Claude Code's recorded requests", () => {
  const groups = recordingGroups('claude-code');

  test.each(groups)('cost in %s, computed, what the client reported', (group) => {
    for (const { data, costing } of usageIn(claudeCode, 'claude-code', group)) {
      const { model, costNanoUsd } = data;
      expect({ model, costNanoUsd }).toEqual({ model, costNanoUsd: costing?.nanoUsd });
    }
  });

  test('are many enough to show it', () => {
    const used = groups.flatMap((group) => usageIn(claudeCode, 'claude-code', group));
    expect(used.length).toBeGreaterThan(30);
  });
});

describe.each([
  ['codex', codex],
  ['gemini', gemini],
] as const)("%s's recorded requests", (agent, translator) => {
  test('all have a price', () => {
    const used = recordingGroups(agent).flatMap((group) => usageIn(translator, agent, group));
    expect(used.length).toBeGreaterThan(3);
    for (const { data, costing } of used) {
      expect({ model: data.model, nanoUsd: costing?.nanoUsd }).toEqual({
        model: data.model,
        nanoUsd: expect.any(Number) as number,
      });
    }
  });
});
