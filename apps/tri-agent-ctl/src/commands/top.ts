import { limits } from '#kernel/limits.js';
import { formatUsd } from '#kernel/money.js';
import { describeFailure, type Asker } from '../client.js';
import type { Output } from '../output.js';
import { Pacer } from '../pacer.js';
import { costNotes } from '../render/cost-notes.js';
import { formatCost, formatTokens, nothing, parseUsd } from '../render/numbers.js';
import { sessionColumns } from '../render/session-columns.js';
import { tableLines } from '../render/table.js';
import { clean, clip } from '#platform/harmless-text.js';
import * as shapes from '../shapes.js';
import { followEvents } from '../stream.js';
import { describeToday } from './status.js';

const BURN_MINUTES = 5;
const AGES_MS = 1_000;
/** States change with time alone, without an event to nudge. */
const RELOADS_PER_AGES = 5;

export interface TopWish {
  readonly all: boolean;
  readonly limit: number;
}

interface View {
  readonly status: shapes.Status;
  readonly sessions: readonly shapes.Session[];
  /** What each session spent a minute over the last five minutes. */
  readonly burn: ReadonlyMap<string, Burn>;
}

interface Burn {
  /** Of what has a price; undefined where nothing has. */
  readonly nanoUsd: bigint | undefined;
  readonly unpricedRequests: number;
  readonly computedCostUsd?: string | null | undefined;
}

/** Sessions as a table that stays live in a terminal; elsewhere one table, once. */
export async function top(client: Asker, output: Output, wish: TopWish): Promise<void> {
  const view = await load(client, output, wish);
  if (output.json) {
    const burnUsdPerMinute = Object.fromEntries(
      [...view.burn].map(([id, { nanoUsd }]) => [
        id,
        nanoUsd === undefined ? null : formatUsd(nanoUsd),
      ]),
    );
    output.document({ status: view.status, sessions: view.sessions, burnUsdPerMinute });
  } else if (!output.io.isTTY) {
    output.lines(...frameLines(view, output, undefined));
  } else {
    await live(client, output, wish, view);
  }
}

async function load(client: Asker, output: Output, { all, limit }: TopWish): Promise<View> {
  const since = new Date(output.io.now().getTime() - BURN_MINUTES * 60_000).toISOString();
  const [status, page, usage] = await Promise.all([
    client.get('/api/v1/status', shapes.status),
    client.list('/api/v1/sessions', shapes.session, limit),
    client.get('/api/v1/usage', shapes.usage, { by: 'session', since }),
  ]);
  return {
    status,
    sessions: page.items
      .filter(({ state }) => all || state !== 'ended')
      .sort((a, b) => (b.lastActivityAt ?? '').localeCompare(a.lastActivityAt ?? '')),
    burn: new Map(
      usage.items.map(({ key, costUsd, ...rest }) => [
        key,
        { nanoUsd: perMinuteOf(costUsd), ...rest },
      ]),
    ),
  };
}

function perMinuteOf(costUsd: string | null | undefined): bigint | undefined {
  const nanoUsd = parseUsd(costUsd ?? '');
  return nanoUsd === undefined ? undefined : nanoUsd / BigInt(BURN_MINUTES);
}

/** What has no known price is never shown as nothing. */
function formatBurn({ nanoUsd, unpricedRequests, computedCostUsd }: Burn): string {
  const costUsd = nanoUsd === undefined ? null : formatUsd(nanoUsd);
  return formatCost(costUsd, unpricedRequests, computedCostUsd);
}

/** Redraws on events and every second until `q`, Ctrl-C or a signal. */
async function live(client: Asker, output: Output, wish: TopWish, first: View): Promise<void> {
  const { io } = output;
  const leaving = new AbortController();
  const ending = AbortSignal.any([leaving.signal, ...(io.signal ? [io.signal] : [])]);
  let view = first;
  let trouble: string | undefined;
  const draw = (): void => {
    if (!ending.aborted) io.stdout.write(screenOf(frameLines(view, output, trouble), output));
  };
  const pacer = new Pacer(async () => {
    try {
      view = await load(client, output, wish);
      trouble = undefined;
    } catch (error) {
      trouble = describeFailure(error);
    }
    draw();
  }, limits.redrawMinMs);
  const follow = async (): Promise<void> => {
    const note = (text: string): void => {
      trouble = text;
      draw();
    };
    const events = followEvents(client, {}, ending, note);
    // Which event it is does not matter: the read models are asked again.
    while ((await events.next()).done !== true) pacer.nudge();
  };
  let ticks = 0;
  const ageing = setInterval(() => {
    ticks += 1;
    if (ticks % RELOADS_PER_AGES === 0) pacer.nudge();
    else draw();
  }, AGES_MS);
  const stopKeys = io.onKey?.((key) => {
    if (key === 'q' || key === 'Q' || key === '\u0003') leaving.abort();
  });
  io.stdout.write('\u001b[?1049h\u001b[?25l');
  try {
    draw();
    const following = follow().catch((error: unknown) => {
      // The table still reloads every few seconds.
      trouble = describeFailure(error);
    });
    await aborted(ending);
    await following;
  } finally {
    clearInterval(ageing);
    stopKeys?.();
    await pacer.stop('drop the rest');
    io.stdout.write('\u001b[?25h\u001b[?1049l');
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}

function frameLines(view: View, output: Output, trouble: string | undefined): string[] {
  const { io, paint } = output;
  const { status, sessions, burn } = view;
  const size = io.isTTY ? io.size?.() : undefined;
  const counts = `${status.sessions?.active ?? nothing} active, ${status.sessions?.idle ?? nothing} idle`;
  const today = status.today ? ` · today ${describeToday(status.today)}` : '';
  const fit = (text: string): string =>
    clip(clean(text), size?.columns ?? limits.lineCharactersMax);
  const perMinute = (id: string): string => {
    const ofSession = burn.get(id);
    return ofSession === undefined ? nothing : formatBurn(ofSession);
  };
  const columns = sessionColumns(sessions, io.now(), [
    { head: '$/MIN', cell: (row) => perMinute(row.sessionId), align: 'right' },
  ]);
  const head = [paint('bold', fit(`tri-agent ${status.version} · ${counts}${today}`))];
  if (trouble !== undefined) {
    head.push(paint('red', fit(trouble)));
  }
  const table =
    sessions.length === 0
      ? ['No sessions yet.']
      : tableLines(columns, sessions, paint, size?.columns);
  const room =
    size === undefined
      ? Infinity
      : Math.max(1, size.rows - head.length - 4 - costNotes(sessions).length);
  const hidden = Math.max(0, table.length - 1 - room);
  const shown = hidden > 0 ? table.slice(0, room) : table;
  return [
    ...head,
    '',
    ...shown,
    ...(hidden > 0 ? [paint('dim', `... and ${table.length - room} more`)] : []),
    paint('bold', fit(totalOf(view))),
    ...costNotes(sessions).map((note) => paint('dim', fit(note))),
    ...(size === undefined ? [] : [paint('dim', 'q leaves')]),
  ];
}

function totalOf({ sessions, burn }: View): string {
  const tokens = sessions.reduce((sum, row) => sum + shapes.sumOfTokens(row.tokens), 0);
  const cost = sumOfUsd(sessions.map(({ costUsd }) => costUsd));
  const computed = sumOfUsd(sessions.map(({ computedCostUsd }) => computedCostUsd));
  const unpriced = sessions.reduce((sum, row) => sum + row.unpricedRequests, 0);
  const burns = sessions.flatMap((row) => burn.get(row.sessionId) ?? []);
  const perMinute = formatBurn({
    nanoUsd: burns.reduce((sum, { nanoUsd }) => sum + (nanoUsd ?? 0n), 0n),
    unpricedRequests: burns.reduce((sum, it) => sum + it.unpricedRequests, 0),
    computedCostUsd: sumOfUsd(burns.map((it) => it.computedCostUsd)),
  });
  const costText = formatCost(cost, unpriced, computed);
  return `total: ${sessions.length} sessions, ${formatTokens(tokens)} tokens, ${costText}, ${perMinute}/min (over ${BURN_MINUTES} minutes)`;
}

function sumOfUsd(amounts: readonly (string | null | undefined)[]): string {
  return formatUsd(amounts.reduce((sum, usd) => sum + (parseUsd(usd ?? '') ?? 0n), 0n));
}

/** Drawn over the last frame rather than after clearing it, which would flicker. */
function screenOf(lines: readonly string[], output: Output): string {
  const rows = output.io.size?.().rows ?? lines.length;
  return `\u001b[H${lines
    .slice(0, rows)
    .map((line) => `${line}\u001b[K`)
    .join('\n')}\u001b[J`;
}
