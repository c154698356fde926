import type { Client } from '../client.js';
import { exitCode } from '../failure.js';
import type { Output } from '../output.js';
import { readPriceFile, type PlacedEntry } from '../prices/price-file.js';
import { clean } from '#platform/harmless-text.js';
import * as shapes from '../prices-shapes.js';
import { describePublication } from './prices.js';

export interface ImportWish {
  readonly source?: string;
}

interface RefusedPlace {
  readonly place: string;
  readonly reason: string;
}

/** Publishes what is sound in a file and reports the rest. Returns the exit code. */
export async function importPrices(
  client: Client,
  output: Output,
  path: string,
  wish: ImportWish,
): Promise<number> {
  const { entries, faults, source } = readPriceFile(path);
  const answer =
    entries.length === 0
      ? nothingPublished
      : await client.post('/api/v1/prices', shapes.publication, {
          source: wish.source ?? source,
          prices: entries.map(({ entry }) => entry),
        });
  const refused = [...faults, ...answer.refused.map((it) => placed(it, entries))];
  if (output.json) output.document({ ...answer, refused });
  else report(output, answer, refused);
  return refused.length === 0 ? exitCode.ok : exitCode.failed;
}

const nothingPublished: shapes.Publication = {
  priceVersion: null,
  accepted: 0,
  refused: [],
  warnings: [],
};

function placed(
  { index, reason, overlaps }: shapes.Publication['refused'][number],
  entries: readonly PlacedEntry[],
): RefusedPlace {
  const placeOf = (at: number): string => entries[at]?.place ?? `entry ${at + 1}`;
  const others = overlaps.map(placeOf).join(', ');
  return {
    place: placeOf(index),
    reason: others === '' ? reason : `${reason} (see ${others})`,
  };
}

function report(
  output: Output,
  answer: shapes.Publication,
  refused: readonly RefusedPlace[],
): void {
  output.lines(answer.accepted === 0 ? 'Nothing was published.' : describePublication(answer));
  for (const warning of answer.warnings) output.note(warning);
  if (refused.length === 0) return;
  output.note(`Refused: ${refused.length}.`);
  for (const { place, reason } of refused) output.note(`  ${place}: ${clean(reason)}`);
}
