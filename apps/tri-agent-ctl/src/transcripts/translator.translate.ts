import { limits } from '#kernel/limits.js';
import type { Agent, Fact, UsageFact } from './facts.js';
import type { Json } from './values.translate.js';

/** What each agent's translator is: pure, lines in, facts out. */
export interface Dialect {
  readonly agent: Agent;
  /** Every line that matters holds one of these; others are not even parsed. */
  readonly marks: readonly string[];
  /** @param path of the file, which tells what its lines may leave out. */
  begin(path: string): TranscriptTranslator;
}

/** Reads one file, line by line, from its beginning. */
export interface TranscriptTranslator {
  /** What is wrong with the line, in words; undefined when nothing is, or when it says nothing. */
  line(line: Json): string | undefined;
  /** The facts that are ready; `all` of them when nothing more is to be read for now. */
  take(all: boolean): Fact[];
}

/**
 * Holds a request back while the lines after it may still correct it. Only so many are held: whoever
 * repeats a request does so soon after.
 */
export class HeldFacts {
  private readonly held = new Map<string, UsageFact>();
  private ready: Fact[] = [];

  /** @param supersedes whether the fact takes the place of the one that is held for the same request. */
  hold(fact: UsageFact, supersedes: (held: UsageFact) => boolean): void {
    const { key } = fact;
    const before = this.held.get(key);
    if (before !== undefined && !supersedes(before)) return;
    this.held.set(key, fact);
    if (this.held.size <= limits.transcriptRequestsHeldMax) return;
    for (const [oldest, ripe] of this.held) {
      this.held.delete(oldest);
      this.ready.push(ripe);
      return;
    }
  }

  /** A fact that no later line can change. */
  add(fact: Fact): void {
    this.ready.push(fact);
  }

  take(all: boolean): Fact[] {
    const facts = this.ready;
    this.ready = [];
    if (!all) return facts;
    for (const fact of this.held.values()) facts.push(fact);
    this.held.clear();
    return facts;
  }
}
