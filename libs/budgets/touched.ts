import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';

/** Which usage was told of: what has to be looked at again. */

/** Milliseconds since 1970, with both ends. */
export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Touched {
  /** From the first to the last moment of usage, of each day for itself. */
  readonly ranges: readonly Range[];
  /** From the first to the last moment of usage in the last minutes, if there was any. */
  readonly lately: Range | undefined;
  /** Usage ids of requests that cost something else by now. */
  readonly corrected: readonly string[];
  /** Sessions of which a request was told for the first time since the start. */
  readonly sessions: readonly { readonly agent: string; readonly session: string }[];
}

const DAY_MS = 86_400_000;
/** Statements of one request meet when they are seconds apart, and one of them ceases to count. */
const NEAR_MS = 60_000;

export const usageTypes = [
  'UsageRecorded',
  'UsageStated',
  'UsageRepriced',
  'UsageMetered',
] as const;

export const untouched: Touched = { ranges: [], lately: undefined, corrected: [], sessions: [] };

/** Gathers what the log tells until somebody looks. */
export class TouchedUsage {
  private days = new Map<number, Range>();
  private fromMs = Infinity;
  private toMs = -Infinity;
  private corrected: string[] = [];
  private sessions: { agent: string; session: string }[] = [];
  private readonly known = new Set<string>();

  add(event: RecordedDomainEvent): void {
    const recordedMs = Date.parse(event.metadata.recordedAt);
    const at = (time: string): void => {
      this.moment(Math.min(Date.parse(time), recordedMs), recordedMs);
    };
    switch (event.type) {
      case 'UsageRecorded':
        this.session(event.data);
        at(event.metadata.occurredAt);
        break;
      case 'UsageStated':
        this.session(event.data);
        for (const { occurredAt } of event.data.requests) at(occurredAt);
        break;
      case 'UsageRepriced':
        this.corrected.push(event.data.usageId);
        break;
      case 'UsageMetered':
        at(event.metadata.occurredAt);
        break;
      default:
    }
  }

  /** Windows that slide are looked at as if something was told in all of this time. */
  lately(fromMs: number, toMs: number): void {
    this.fromMs = Math.min(this.fromMs, fromMs);
    this.toMs = Math.max(this.toMs, toMs);
  }

  /** All that was gathered; from here on it is gathered anew. */
  take(): Touched {
    const { days, fromMs, toMs, corrected, sessions } = this;
    const lately = fromMs > toMs ? undefined : { fromMs, toMs };
    this.days = new Map();
    this.corrected = [];
    this.sessions = [];
    this.fromMs = Infinity;
    this.toMs = -Infinity;
    return { ranges: [...days.values()], lately, corrected, sessions };
  }

  /** What could not be looked at is still to be looked at. */
  giveBack({ ranges, lately, corrected, sessions }: Touched): void {
    for (const range of ranges) this.range(range);
    if (lately !== undefined) this.lately(lately.fromMs, lately.toMs);
    this.corrected.push(...corrected);
    this.sessions.push(...sessions);
  }

  private moment(atMs: number, recordedMs: number): void {
    const range = { fromMs: atMs - NEAR_MS, toMs: atMs + NEAR_MS };
    this.range(range);
    const isOld = atMs < recordedMs - limits.budgetLateMs;
    if (!isOld) this.lately(range.fromMs, range.toMs);
  }

  private range({ fromMs, toMs }: Range): void {
    const day = Math.floor(fromMs / DAY_MS);
    const known = this.days.get(day);
    this.days.set(day, {
      fromMs: Math.min(fromMs, known?.fromMs ?? Infinity),
      toMs: Math.max(toMs, known?.toMs ?? -Infinity),
    });
  }

  private session({ agent, sessionId }: { agent: string; sessionId: string }): void {
    const name = `${agent} ${sessionId}`;
    if (this.known.has(name)) return;
    if (this.known.size >= limits.spendSessionsRememberedMax) this.known.clear();
    this.known.add(name);
    this.sessions.push({ agent, session: sessionId });
  }
}
