import { limits } from '#kernel/limits.js';
import type { Client } from '../client.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { formatCount, parseUsd } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';
import { clean } from '#platform/harmless-text.js';
import { formatAge, formatTime } from '../render/times.js';
import * as shapes from '../prices-shapes.js';

export interface PricesWish {
  readonly model?: string;
  readonly provider?: string;
  readonly all: boolean;
}

export async function listPrices(client: Client, output: Output, wish: PricesWish): Promise<void> {
  const { model, provider, all } = wish;
  const page = await client.list('/api/v1/prices', shapes.price, limits.listItemsMax, {
    model,
    provider,
    all: all ? 'true' : undefined,
  });
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines('No such prices. "tri-agent-ctl prices set --help" tells how to publish one.');
    return;
  }
  const width = output.io.size?.().columns;
  output.lines(
    output.paint('dim', 'US dollars per million tokens; ? is unknown'),
    ...tableLines(priceColumns, page.items, output.paint, width),
  );
}

type Kind = 'input' | 'output' | 'cacheRead' | 'cacheCreation' | 'cacheCreation1h';
const rate = (head: string, kind: Kind): Column<shapes.Price> => ({
  head,
  cell: ({ usdPerMillionTokens }) => formatRate(usdPerMillionTokens[kind]),
  align: 'right',
});

const priceColumns: readonly Column<shapes.Price>[] = [
  { head: 'PROVIDER', cell: ({ provider }) => provider, dispensable: 2 },
  {
    head: 'MODEL',
    cell: ({ model }) => model,
    style: ({ superseded }) => (superseded === true ? 'dim' : undefined),
  },
  { head: 'TIER', cell: ({ tier }) => tier, dispensable: 4 },
  {
    head: 'PROMPT ABOVE',
    cell: ({ promptTokensAbove }) =>
      promptTokensAbove === 0 ? '' : formatCount(promptTokensAbove),
    align: 'right',
  },
  rate('INPUT', 'input'),
  rate('OUTPUT', 'output'),
  rate('CACHE READ', 'cacheRead'),
  rate('CACHE WRITE', 'cacheCreation'),
  rate('FOR 1H', 'cacheCreation1h'),
  { head: 'FROM', cell: ({ validFrom }) => formatBound(validFrom), dispensable: 1 },
  { head: 'UNTIL', cell: ({ validUntil }) => formatBound(validUntil), dispensable: 1 },
  {
    head: 'ORIGIN',
    cell: ({ origin, superseded }) => (superseded === true ? `${origin}, superseded` : origin),
    dispensable: 3,
  },
];

/** `3.75`, exact, with two digits after the point at least. */
function formatRate(usd: string | null | undefined): string {
  if (typeof usd !== 'string' || parseUsd(usd) === undefined) return '?';
  const [whole = '', fraction = ''] = usd.split('.');
  return `${whole}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`;
}

/** A day where it starts then; nothing where there is no bound. */
function formatBound(time: string | null | undefined): string {
  if (typeof time !== 'string' || Date.parse(time) === 0) return '';
  const text = formatTime(time);
  return text.endsWith(' 00:00:00Z') ? text.slice(0, 10) : text;
}

export async function listMissing(
  client: Client,
  output: Output,
  { all }: { readonly all: boolean },
): Promise<void> {
  const page = await client.list(
    '/api/v1/prices/missing',
    shapes.missingPrice,
    limits.listItemsMax,
    { all: all ? 'true' : undefined },
  );
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines('Every model that was used has a price.');
    return;
  }
  const now = output.io.now();
  const columns: Column<shapes.MissingPrice>[] = [
    { head: 'AGENT', cell: ({ agent }) => agent },
    { head: 'PROVIDER', cell: ({ provider }) => provider },
    { head: 'MODEL', cell: ({ model }) => model },
    { head: 'TIER', cell: ({ tier }) => tier },
    { head: 'SEEN', cell: ({ lastSeenAt }) => formatAge(lastSeenAt, now), align: 'right' },
    { head: 'PRICE', cell: ({ resolved }) => (resolved ? 'known by now' : 'unknown') },
  ];
  output.lines(...tableLines(columns, page.items, output.paint, output.io.size?.().columns));
  if (page.items.some(({ resolved }) => !resolved)) {
    output.note('Their cost is unknown until you publish a price: tri-agent-ctl prices set --help');
  }
}

export interface SetWish {
  readonly provider: string;
  /** Dollars per million tokens, as they were typed. */
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string;
  readonly cacheCreation?: string;
  readonly cacheCreation1h?: string;
  readonly tier: string;
  readonly above: number;
  readonly from?: Date;
  readonly until?: Date;
  readonly source?: string;
}

/** @throws {Failure} with the server's reason when the price cannot be published. */
export async function setPrice(
  client: Client,
  output: Output,
  model: string,
  wish: SetWish,
): Promise<void> {
  const { provider, tier, above, from, until, source, input, cacheRead, cacheCreation } = wish;
  const entry = {
    provider,
    model,
    tier,
    promptTokensAbove: above,
    validFrom: from?.toISOString(),
    validUntil: until?.toISOString(),
    usdPerMillionTokens: {
      input,
      output: wish.output,
      cacheRead,
      cacheCreation,
      cacheCreation1h: wish.cacheCreation1h,
    },
  };
  const answer = await client.post('/api/v1/prices', shapes.publication, {
    source: source ?? 'tri-agent-ctl prices set',
    prices: [entry],
  });
  const [refused] = answer.refused;
  if (refused !== undefined) {
    throw new Failure(
      'price_refused',
      `The server refused the price: ${refused.reason}.`,
      'Nothing was published. See "tri-agent-ctl prices set --help".',
    );
  }
  if (output.json) {
    output.document(answer);
    return;
  }
  output.lines(describePublication(answer));
  for (const warning of answer.warnings) output.note(warning);
  if (cacheRead === undefined || cacheCreation === undefined) {
    output.note('Requests that use cached tokens of a kind without a price stay without a cost.');
  }
}

export function describePublication({ accepted, priceVersion }: shapes.Publication): string {
  const [what, was] =
    accepted === 1 ? ['The price', 'was'] : [`${formatCount(accepted)} prices`, 'were'];
  return priceVersion === null
    ? `${what} counted already: nothing was published.`
    : `${what} ${was} published as ${clean(priceVersion)}.`;
}
