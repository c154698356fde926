import { sumOfTokens, type Session } from '../shapes.js';
import { formatCost, formatFill, formatTokens, nothing } from './numbers.js';
import type { Style } from './paint.js';
import type { Column } from './table.js';
import { shortIdLength } from './text.js';
import { formatAge } from './times.js';

const stateStyles: Readonly<Record<string, Style>> = { active: 'green', idle: 'yellow' };

/** How full the context window is: the bar where the window is known, else the tokens in it. */
export function contextOf({ contextFill, contextTokens }: Session): string {
  if (typeof contextFill === 'number') return formatFill(contextFill);
  return typeof contextTokens === 'number' ? formatTokens(contextTokens) : nothing;
}

function fillStyle({ contextFill }: Session): Style | undefined {
  if (typeof contextFill !== 'number') return undefined;
  if (contextFill >= 0.9) return 'red';
  return contextFill >= 0.7 ? 'yellow' : 'green';
}

/** The columns that every table of sessions has; `extra` stands before how long ago it did something. */
export function sessionColumns(
  sessions: readonly Session[],
  now: Date,
  extra: readonly Column<Session>[] = [],
): Column<Session>[] {
  const idLength = shortIdLength(sessions.map((session) => session.sessionId));
  return [
    { head: 'AGENT', cell: ({ agent }) => agent, dispensable: 2 },
    { head: 'SESSION', cell: ({ sessionId }) => sessionId.slice(0, idLength) },
    { head: 'MODEL', cell: ({ model }) => model ?? nothing, dispensable: 5 },
    {
      head: 'STATE',
      cell: ({ state }) => state,
      style: ({ state }) => stateStyles[state] ?? 'dim',
    },
    { head: 'CONTEXT', cell: contextOf, style: fillStyle, dispensable: 1 },
    {
      head: 'TOKENS',
      cell: ({ tokens }) => formatTokens(sumOfTokens(tokens)),
      align: 'right',
      dispensable: 4,
    },
    {
      head: 'COST',
      cell: (it) => formatCost(it.costUsd, it.unpricedRequests, it.computedCostUsd),
      align: 'right',
    },
    ...extra,
    {
      head: 'AGO',
      cell: ({ lastActivityAt }) => formatAge(lastActivityAt, now),
      align: 'right',
      dispensable: 3,
    },
  ];
}
