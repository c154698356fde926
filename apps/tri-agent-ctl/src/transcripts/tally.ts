import { limits } from '#kernel/limits.js';
import type { Agent, Tokens, UsageFact } from './facts.js';

export interface Fault {
  readonly file: string;
  /** From 1; 0 = the file as a whole. */
  readonly line: number;
  readonly reason: string;
}

/** What was found of one agent. */
export class AgentTally {
  files = 0;
  lines = 0;
  /** Lines that say nothing of usage, of whatever kind. */
  ignoredLines = 0;
  requests = 0;
  readonly tokens = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 };
  /** What each request was last found to have used, so that a copy of it is not told again. */
  private readonly told = new Map<string, Tokens>();

  /** Whether it is news: a request that was not found yet, or not yet with so much output. */
  count(fact: UsageFact): boolean {
    const { key, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = fact;
    const before = this.told.get(key);
    if (before !== undefined && before.outputTokens >= outputTokens) return false;
    this.told.set(key, { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens });
    if (this.told.size > limits.transcriptRequestsRememberedMax) this.forgetOldest();
    if (before === undefined) this.requests += 1;
    this.tokens.input += inputTokens - (before?.inputTokens ?? 0);
    this.tokens.output += outputTokens - (before?.outputTokens ?? 0);
    this.tokens.cacheRead += cacheReadTokens - (before?.cacheReadTokens ?? 0);
    this.tokens.cacheCreation += cacheCreationTokens - (before?.cacheCreationTokens ?? 0);
    return true;
  }

  private forgetOldest(): void {
    for (const key of this.told.keys()) {
      this.told.delete(key);
      return;
    }
  }
}

/** What an import has found so far. */
export class Tally {
  readonly agents = new Map<Agent, AgentTally>();
  readonly faults: Fault[] = [];
  faultCount = 0;
  /** What could not be looked into, each once, however often it is come by. */
  readonly unread = new Map<string, string>();

  of(agent: Agent): AgentTally {
    let tally = this.agents.get(agent);
    if (tally === undefined) this.agents.set(agent, (tally = new AgentTally()));
    return tally;
  }

  fault(fault: Fault): void {
    this.faultCount += 1;
    if (this.faults.length < limits.transcriptFaultsKeptMax) this.faults.push(fault);
  }

  sum(what: 'files' | 'lines' | 'ignoredLines' | 'requests'): number {
    return [...this.agents.values()].reduce((sum, agent) => sum + agent[what], 0);
  }

  tokens(): AgentTally['tokens'] {
    const sum = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 };
    for (const { tokens } of this.agents.values()) {
      for (const kind of Object.keys(sum) as (keyof typeof sum)[]) sum[kind] += tokens[kind];
    }
    return sum;
  }
}
