import { limits } from '#kernel/limits.js';
import type { Asker } from '../client.js';
import type { Output } from '../output.js';
import { Pacer } from '../pacer.js';
import { eventLine } from '../render/event-line.js';
import { formatCost, formatTokens } from '../render/numbers.js';
import { contextOf } from '../render/session-columns.js';
import { clean } from '#platform/harmless-text.js';
import * as shapes from '../shapes.js';
import { followEvents } from '../stream.js';
import { findSession } from './find-session.js';

/** Prints each event of one session, or of all, and the session's totals whenever they changed. */
export async function watchSessions(
  client: Asker,
  output: Output,
  id: string | undefined,
  countMax: number,
): Promise<void> {
  const session = id === undefined ? undefined : (await findSession(client, id)).sessionId;
  const ending = output.io.signal ?? new AbortController().signal;
  const touched = new Set<string>();
  const lastTotals = new Map<string, string>();
  const pacer = new Pacer(async () => {
    const ids = [...touched];
    touched.clear();
    for (const sessionId of ids) await printTotals(client, output, sessionId, lastTotals);
  }, limits.redrawMinMs);
  let count = 0;
  const note = (text: string): void => {
    output.note(text);
  };
  try {
    for await (const event of followEvents(client, { session }, ending, note)) {
      if (output.json) output.record({ event });
      else output.lines(eventLine(event, output.paint));
      count += 1;
      if (typeof event.data.sessionId === 'string') {
        touched.add(event.data.sessionId);
        pacer.nudge();
      }
      if (count >= countMax) break;
    }
  } finally {
    await pacer.stop(ending.aborted ? 'drop the rest' : 'do the rest');
  }
}

async function printTotals(
  client: Asker,
  output: Output,
  sessionId: string,
  lastTotals: Map<string, string>,
): Promise<void> {
  let session;
  try {
    const path = `/api/v1/sessions/${encodeURIComponent(sessionId)}`;
    session = await client.get(path, shapes.session);
  } catch {
    // The events go on without; where the server is gone, following them says so.
    return;
  }
  const totals = describeTotals(session);
  if (lastTotals.get(sessionId) === totals) return;
  lastTotals.set(sessionId, totals);
  if (output.json) output.record({ session });
  else output.lines(output.paint('green', totals));
}

function describeTotals(session: shapes.Session): string {
  const { agent, sessionId, requests, tokens, costUsd, unpricedRequests } = session;
  return clean(
    [
      `= ${agent} ${sessionId.slice(0, 8)}: ${formatTokens(shapes.sumOfTokens(tokens))} tokens`,
      formatCost(costUsd, unpricedRequests),
      ...(typeof requests === 'number' ? [`${requests} requests`] : []),
      `context ${contextOf(session)}`,
    ].join(', '),
  );
}
