import { limits } from '#kernel/limits.js';
import type { Asker, Query } from '../client.js';
import * as shapes from '../shapes.js';

/** So often the pages are read anew when the usage grew between two of them. */
const READINGS_MAX = 3;

export interface AllUsage {
  readonly usage: shapes.Usage;
  /** Whether the rows and the total are of one moment. */
  readonly atOnce: boolean;
}

/** All pages as one, with the server's total. */
export async function askUsage(client: Asker, query: Query): Promise<AllUsage> {
  for (let reading = 1; ; reading += 1) {
    const answer = await readPages(client, query);
    if (answer.atOnce || reading === READINGS_MAX) return answer;
  }
}

async function readPages(client: Asker, query: Query): Promise<AllUsage> {
  let page = await client.get('/api/v1/usage', shapes.usage, query);
  const { total } = page;
  const items = [...page.items];
  while (typeof page.nextCursor === 'string' && items.length < limits.listItemsMax) {
    page = await client.get('/api/v1/usage', shapes.usage, { ...query, cursor: page.nextCursor });
    items.push(...page.items);
  }
  const atOnce = JSON.stringify(page.total) === JSON.stringify(total);
  return { usage: { ...page, items }, atOnce };
}
