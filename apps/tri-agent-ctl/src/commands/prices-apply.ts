import { z } from 'zod';
import type { Client } from '../client.js';
import type { Output } from '../output.js';
import { formatCount, formatNanoUsd, parseUsd } from '../render/numbers.js';
import { formatUsd } from '#kernel/money.js';
import { formatTime } from '../render/times.js';

export interface ApplyWish {
  readonly since: Date;
  readonly until?: Date;
  readonly dryRun: boolean;
}

const count = z.int().nonnegative();
const answer = z.looseObject({
  checkedRequests: count,
  correctedRequests: count,
  unpricedRequests: count,
  costDifferenceUsd: z.string(),
  nextCursor: z.string().nullable(),
});

/** Has the costs of past usage computed anew, a page at a time; what agents reported stays. */
export async function applyPrices(client: Client, output: Output, wish: ApplyWish): Promise<void> {
  const { since, until, dryRun } = wish;
  const sums = { checked: 0, corrected: 0, unpriced: 0, difference: 0n };
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: z.infer<typeof answer> = await client.post('/api/v1/usage/corrections', answer, {
      since: since.toISOString(),
      until: until?.toISOString(),
      dryRun,
      cursor,
    });
    sums.checked += page.checkedRequests;
    sums.corrected += page.correctedRequests;
    sums.unpriced += page.unpricedRequests;
    sums.difference += parseUsd(page.costDifferenceUsd) ?? 0n;
    cursor = page.nextCursor;
  }
  report(output, wish, sums);
}

function report(
  output: Output,
  { since, dryRun }: ApplyWish,
  sums: { checked: number; corrected: number; unpriced: number; difference: bigint },
): void {
  if (output.json) {
    const { checked, corrected, unpriced } = sums;
    output.document({
      dryRun,
      checkedRequests: checked,
      correctedRequests: corrected,
      unpricedRequests: unpriced,
      costDifferenceUsd: formatUsd(sums.difference),
    });
    return;
  }
  const would = dryRun ? 'would change' : 'changed';
  const by = formatNanoUsd(sums.difference);
  output.lines(
    `${formatCount(sums.checked)} requests since ${formatTime(since.toISOString())} checked: ` +
      `the computed cost of ${formatCount(sums.corrected)} ${would}, the cost altogether by ${by}.`,
  );
  if (sums.unpriced > 0) {
    const of = formatCount(sums.unpriced);
    output.note(`${of} requests have no price still: "tri-agent-ctl prices missing" names models.`);
  }
}
