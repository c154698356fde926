import { limits } from '#kernel/limits.js';
import type { Asker } from '../client.js';
import type { Output } from '../output.js';
import { formatCount } from '../render/numbers.js';
import { clean } from '#platform/harmless-text.js';
import { formatIn } from '../render/zones.js';
import * as shapes from '../shapes.js';
import { askUsage } from '../usage/ask.js';
import type { Cut } from '../usage/cuts.js';
import { modelsLines } from '../usage/models-table.js';
import { questionOf, type Question, type UsageWish } from '../usage/question.js';
import { modelsCsv, usageCsv } from '../usage/usage-csv.js';
import { usageLines } from '../usage/usage-table.js';
import { findSession } from './find-session.js';

/** Answers `usage [cut]`: as a table, as CSV or as the server's own JSON. */
export async function showUsage(
  client: Asker,
  output: Output,
  word: string | undefined,
  wish: UsageWish,
): Promise<void> {
  const question = questionOf(word, wish, output);
  const { cut, since, until, filter } = question;
  const range = { since: since.toISOString(), until: until?.toISOString() };
  const session =
    wish.session === undefined ? undefined : (await findSession(client, wish.session)).sessionId;
  const query = { ...range, ...filter, session };
  if (cut === 'models') {
    const answer = await client.get('/api/v1/usage/models', shapes.comparedModels, query);
    if (output.json) output.document(answer);
    else if (wish.csv) output.text(modelsCsv(answer.items));
    else printTable(question, modelsLines(answer.items, output), answer.items.length, output);
    return;
  }
  await showCut(client, output, question, cut, query, wish.csv);
}

async function showCut(
  client: Asker,
  output: Output,
  question: Question,
  by: Cut,
  query: Readonly<Record<string, string | number | undefined>>,
  csv: boolean,
): Promise<void> {
  const { zone: timezone, breakdown } = question;
  const asked = { by, breakdown, timezone, ...query };
  const { usage, atOnce } = await askUsage(client, asked);
  if (output.json) output.document(usage);
  else if (csv) output.text(usageCsv(by, breakdown, usage));
  else printTable(question, usageLines(by, usage, output), usage.items.length, output);
  if (typeof usage.nextCursor === 'string') {
    const shown = formatCount(limits.listItemsMax);
    output.note(`There are more than ${shown} rows: the total is of all. Ask for less time.`);
  } else if (!atOnce) {
    output.note('Usage came in while this was read: the total is newer than some rows.');
  }
}

function printTable(
  question: Question,
  lines: readonly string[],
  rows: number,
  output: Output,
): void {
  const { cut, zone, since, until, filter } = question;
  const to = until === undefined ? '' : ` until ${formatIn(zone, until)}`;
  const time = `since ${formatIn(zone, since)}${to} (time zone ${clean(zone)})`;
  if (rows === 0) {
    const ofThat = Object.values(filter).some((it) => it !== undefined) ? ' of that' : '';
    output.lines(
      `No usage${ofThat} ${time}. "tri-agent-ctl import" reads what your agents did before, ` +
        '"tri-agent-ctl connect" lets them report from now on.',
    );
    return;
  }
  const title = cut === 'models' ? 'Models compared' : `Usage by ${cut}`;
  output.lines(output.paint('dim', `${title} ${time}`), ...lines);
}
