import { nothing } from '../render/numbers.js';
import { formatDuration } from '../render/times.js';

/** `340ms`, `8s`, `2h 5m`: what is short in a queue is worth telling, too. */
export function formatWait(milliseconds: number | null | undefined): string {
  if (typeof milliseconds !== 'number') return nothing;
  return milliseconds < 1_000 ? `${Math.round(milliseconds)}ms` : formatDuration(milliseconds);
}
