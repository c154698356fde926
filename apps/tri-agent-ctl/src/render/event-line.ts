import { limits } from '#kernel/limits.js';
import type { LogEvent } from '../shapes.js';
import { formatNanoUsd, formatTokens } from './numbers.js';
import type { Paint } from './paint.js';
import { clean, clip } from '#platform/harmless-text.js';
import { formatClock } from './times.js';

/** Told elsewhere in the line, or of no use to a reader. */
const leftOut = new Set([
  'agent',
  'sessionId',
  'costOrigin',
  'computedNanoUsd',
  'priceVersion',
  'contentHash',
]);

/** `model=claude-sonnet-4-5 input=12.3k output=420 cost=$0.0373`. */
function describeData(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data)
    .filter(([name, value]) => !leftOut.has(name) && value !== null && value !== undefined)
    .map(([name, value]) => describeField(name, value))
    .join(' ');
}

function describeField(name: string, value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    if (name === 'costNanoUsd') return `cost=${formatNanoUsd(BigInt(value))}`;
    if (name.endsWith('Tokens')) return `${name.slice(0, -'Tokens'.length)}=${formatTokens(value)}`;
    if (name.endsWith('Ms')) return `${name.slice(0, -'Ms'.length)}=${value}ms`;
  }
  return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

/** One event as one harmless line. */
export function eventLine(event: LogEvent, paint: Paint): string {
  const { agent, sessionId } = event.data;
  const whose =
    typeof agent === 'string' && typeof sessionId === 'string'
      ? `${agent} ${sessionId.slice(0, 8)}`
      : event.stream;
  const short = (text: string): string => clip(clean(text), limits.cellCharactersMax);
  return [
    paint('dim', formatClock(event.metadata.occurredAt)),
    paint('dim', short(event.position).padStart(7)),
    paint('bold', short(event.type).padEnd(18)),
    paint('cyan', short(whose)),
    clip(clean(describeData(event.data)), limits.lineCharactersMax),
  ].join('  ');
}
