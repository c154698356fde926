import { limits } from '#kernel/limits.js';

/** What an agent said of requests that failed. */
export interface FailureTold {
  /** Of the event, so that none counts twice. */
  readonly id: string;
  readonly by: 'RequestFailed' | 'RetriesExhausted' | 'RequestRetried';
  readonly atMs: number;
  /** How many attempts of the request have failed by then; null = not told. */
  readonly attempts: number | null;
}

export interface FailureRow {
  readonly times: number;
  readonly sinceMs: number;
  readonly error: string;
}

/** The requests of one session to one model that failed since the last one that was answered. */
export class FailedRequests {
  private told: FailureTold[] = [];
  private error = '';
  private raisedMs: number | undefined;

  /** @returns the row, when it is long enough to be raised and was not raised already. */
  failed(failure: FailureTold, error: string): FailureRow | undefined {
    if (this.told.some(({ id }) => id === failure.id)) return undefined;
    // The last one stands for all: errors are long, and there are many.
    this.error = error || this.error;
    const all = [...this.told, failure].sort((a, b) => a.atMs - b.atMs);
    const newestMs = all.at(-1)?.atMs ?? 0;
    this.told = all
      .filter(({ atMs }) => atMs > newestMs - limits.failedRequestsMs)
      .slice(-limits.failedRequestsKeptMax);
    const times = timesFailed(this.told);
    if (times < limits.failedRequestsMax || this.isQuiet(newestMs)) return undefined;
    this.raisedMs = newestMs;
    const sinceMs = this.told[0]?.atMs ?? newestMs;
    return { times, sinceMs, error: this.error };
  }

  answered(atMs: number): void {
    this.told = this.told.filter((failure) => failure.atMs > atMs);
    if (this.raisedMs !== undefined && atMs > this.raisedMs) this.raisedMs = undefined;
  }

  /** It was raised then, as the log says. */
  raised(atMs: number): void {
    this.raisedMs = Math.max(atMs, this.raisedMs ?? atMs);
  }

  private isQuiet(atMs: number): boolean {
    return this.raisedMs !== undefined && atMs < this.raisedMs + limits.loopQuietMs;
  }
}

/**
 * Up to three kinds of events tell of the same failures, and nothing joins them that all three have. So
 * they are not added up: what the kind that tells most says is what is sure.
 */
function timesFailed(told: readonly FailureTold[]): number {
  const of = (kind: FailureTold['by']) => told.filter(({ by }) => by === kind);
  const summed = (all: FailureTold[]) =>
    all.reduce((sum, { attempts }) => sum + (attempts ?? 1), 0);
  return Math.max(
    timesOf(of('RequestFailed')),
    summed(of('RetriesExhausted')),
    summed(of('RequestRetried')),
  );
}

/**
 * Claude Code tells once, with all attempts, when it gives up; Codex tells of each attempt with its
 * number, Gemini CLI without. A number higher than the one before goes on counting from there.
 */
function timesOf(failed: readonly FailureTold[]): number {
  let times = 0;
  let before = 0;
  for (const { attempts } of failed) {
    const told = attempts ?? 1;
    times += attempts !== null && told > before ? told - before : told;
    before = attempts ?? 0;
  }
  return times;
}
