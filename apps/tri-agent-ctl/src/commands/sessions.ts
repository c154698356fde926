import type { Asker } from '../client.js';
import type { Output } from '../output.js';
import { costNotes } from '../render/cost-notes.js';
import { eventLine } from '../render/event-line.js';
import { priceCheckLine } from '../render/cost-notes.js';
import {
  formatCost,
  formatCount,
  formatNanoUsd,
  formatTokens,
  nothing,
  parseUsd,
} from '../render/numbers.js';
import { contextOf, sessionColumns } from '../render/session-columns.js';
import { pairLines, tableLines } from '../render/table.js';
import { formatAge, formatTime } from '../render/times.js';
import * as shapes from '../shapes.js';
import { findSession } from './find-session.js';

export interface ListWish {
  readonly agent?: string;
  readonly state?: string;
  readonly limit: number;
}

export async function listSessions(
  client: Asker,
  output: Output,
  { agent, state, limit }: ListWish,
): Promise<void> {
  const page = await client.list('/api/v1/sessions', shapes.session, limit, { agent, state });
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines('No sessions. "tri-agent-ctl connect claude" tells how Claude Code reports here.');
    return;
  }
  const columns = sessionColumns(page.items, output.io.now());
  output.lines(
    ...tableLines(columns, page.items, output.paint, output.io.size?.().columns),
    ...costNotes(page.items).map((note) => output.paint('dim', note)),
  );
  if (page.nextCursor !== null) {
    output.note(`There are more: these are the first ${page.items.length}. See --limit.`);
  }
}

export async function showSession(
  client: Asker,
  output: Output,
  id: string,
  eventCount: number,
): Promise<void> {
  const session = await findSession(client, id);
  const path = `/api/v1/sessions/${encodeURIComponent(session.sessionId)}/events`;
  const events =
    eventCount === 0 ? undefined : (await client.list(path, shapes.event, eventCount)).items;
  if (output.json) {
    output.document(events === undefined ? session : { ...session, events });
    return;
  }
  output.lines(...pairLines(pairsOf(session, output.io.now()), output.paint));
  if (events !== undefined) {
    output.lines('', ...events.map((event) => eventLine(event, output.paint)));
  }
}

function pairsOf(session: shapes.Session, now: Date): [string, string][] {
  const { tokens, contextTokens, contextWindow, unpricedRequests } = session;
  const time = (at: string | null | undefined): string =>
    at ? `${formatTime(at)} (${formatAge(at, now)} ago)` : nothing;
  const window =
    typeof contextTokens === 'number' && typeof contextWindow === 'number'
      ? `${contextOf(session)}  ${formatTokens(contextTokens)} of ${formatTokens(contextWindow)}`
      : contextOf(session);
  const unpriced =
    unpricedRequests > 0 ? ` (${unpricedRequests} requests have no known price)` : '';
  const pairs: [string, string | null | undefined][] = [
    ['session', session.sessionId],
    ['agent', session.agent],
    ['model', session.model],
    ['state', session.state],
    ['context', window],
    ['tokens', describeTokens(tokens)],
    ['cost', formatCost(session.costUsd, unpricedRequests) + unpriced],
    ['computed', computedOf(session)],
    ['price check', priceCheckLine([session])],
    ['requests', session.requests?.toString()],
    ['errors', session.errors?.toString()],
    ['started', time(session.startedAt)],
    ['last activity', time(session.lastActivityAt)],
    ['task', session.taskId],
    ['project', session.project],
    ['counted from', session.usageSource],
  ];
  return pairs.flatMap(([name, value]) => (value ? [[name, value] as [string, string]] : []));
}

/** The part of the cost that the agent did not tell. */
function computedOf({ computedCostUsd }: shapes.Session): string | undefined {
  const nanoUsd = parseUsd(computedCostUsd ?? '') ?? 0n;
  return nanoUsd > 0n ? `${formatNanoUsd(nanoUsd)} of it, from the price book` : undefined;
}

function describeTokens(tokens: shapes.Tokens): string {
  const reasoning =
    typeof tokens.reasoning === 'number' ? ` (reasoning ${formatCount(tokens.reasoning)})` : '';
  return [
    `input ${formatCount(tokens.input)}`,
    `output ${formatCount(tokens.output)}${reasoning}`,
    `cache read ${formatCount(tokens.cacheRead)}`,
    `cache creation ${formatCount(tokens.cacheCreation)}`,
  ].join(', ');
}
