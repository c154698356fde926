/**
 * Telemetry and transcript both tell of a request; it is counted once. Which statements are of one
 * request is known by its id where both tell it (Claude Code). Elsewhere two of the same session,
 * with equal token counts, that lie within two seconds are taken for one.
 */

/** How far apart the two may tell that a request ended. */
export const PAIRING_MS = 2_000;

export type Source = 'telemetry' | 'transcript';

export interface Statement {
  readonly id: number;
  readonly source: Source;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly outputTokens: number;
}

/** Whether a statement is counted, and which one of the other source tells of the same request. */
export interface Standing {
  readonly counts: boolean;
  readonly partner: number | null;
}

/**
 * Of statements with one request id: telemetry counts before a transcript. A transcript that was read
 * while it was written states the same request again with more tokens: the largest stands.
 */
export function standingsOfOneRequest(statements: readonly Statement[]): Map<number, Standing> {
  const [told] = [...statements].filter(isTelemetry).sort(byTime);
  const [stated] = statements
    .filter((it) => !isTelemetry(it))
    .sort((a, b) => b.outputTokens - a.outputTokens || b.id - a.id);
  const counted = told ?? stated;
  return new Map(
    statements.map(({ id }) => {
      const partner = id === told?.id ? stated : id === stated?.id ? told : undefined;
      return [id, { counts: id === counted?.id, partner: partner?.id ?? null }];
    }),
  );
}

/**
 * Of statements of one session with equal token counts. Both sources are paired in the order of time,
 * which leaves as few as possible alone, whatever order the statements came in.
 */
export function standingsInTime(statements: readonly Statement[]): Map<number, Standing> {
  const standings = new Map<number, Standing>(
    statements.map(({ id }) => [id, { counts: true, partner: null }]),
  );
  const told = statements.filter(isTelemetry).sort(byTime);
  const stated = statements.filter((it) => !isTelemetry(it)).sort(byTime);
  let next = 0;
  for (const one of told) {
    let other = stated[next];
    while (other !== undefined && other.at < one.at - PAIRING_MS) other = stated[(next += 1)];
    if (other === undefined || other.at > one.at + PAIRING_MS) continue;
    standings.set(one.id, { counts: true, partner: other.id });
    standings.set(other.id, { counts: false, partner: one.id });
    next += 1;
  }
  return standings;
}

/** The part of `statements` (in the order of time) that hangs together with the one at `at`. */
export function neighboursOf(at: number, statements: readonly Statement[]): readonly Statement[] {
  const before = statements.filter((it) => it.at <= at);
  const after = statements.filter((it) => it.at > at);
  const reach = (side: readonly Statement[]): number => {
    const gap = side.findIndex(
      (it, index) => Math.abs(it.at - (side[index - 1]?.at ?? at)) > PAIRING_MS,
    );
    return gap === -1 ? side.length : gap;
  };
  const earlier = before.reverse();
  return [...earlier.slice(0, reach(earlier)).reverse(), ...after.slice(0, reach(after))];
}

function isTelemetry({ source }: Statement): boolean {
  return source === 'telemetry';
}

function byTime(a: Statement, b: Statement): number {
  return a.at - b.at || a.id - b.id;
}
