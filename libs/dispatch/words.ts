/** Small parts of the sentences that tell people what dispatch does. */

/** `340 ms`, `3.2 s`, `5 min 10 s`, `2 h 5 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10} s`;
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return parts(minutes, 'min', seconds % 60, 's');
  return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function parts(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}

/** `Cancelled: not needed.`; without a reason, `Cancelled.` */
export function because(what: string, reason: string): string {
  const said = reason.trim();
  if (said === '') return `${what}.`;
  return /[.!?]$/.test(said) ? `${what}: ${said}` : `${what}: ${said}.`;
}

/** Who keeps something halted: null = an operator. */
export function holderText(holder: string | null): string {
  return holder ?? 'an operator';
}

/** `a, b and 3 more`. */
export function someOf(names: readonly string[], shownMax: number): string {
  const shown = names.slice(0, shownMax).join(', ');
  return names.length > shownMax ? `${shown} and ${names.length - shownMax} more` : shown;
}
