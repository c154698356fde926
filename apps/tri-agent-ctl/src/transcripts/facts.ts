/**
 * What is told to the server of what agents left on disk (`POST /api/v1/imports`). Nothing else leaves
 * a transcript: no prompt, no answer, no tool's input or output.
 */

export type Agent = 'claude-code' | 'codex' | 'gemini';

export interface Tokens {
  /** Without cached tokens. */
  readonly inputTokens: number;
  /** With reasoning. */
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
}

/** One model request that was answered. */
export interface UsageFact extends Tokens {
  readonly kind: 'usage';
  readonly agent: Agent;
  readonly sessionId: string;
  /** What the agent knows the request by, in all of its files. */
  readonly key: string;
  /** Where the agent's telemetry names it, too. */
  readonly requestId?: string | undefined;
  /** ISO-8601 UTC. */
  readonly occurredAt: string;
  readonly model: string;
  readonly provider?: string | undefined;
  readonly tier: string | null;
  readonly cacheCreation1hTokens: number | null;
  readonly reasoningTokens: number | null;
  /** US dollars with nine digits after the point, where the agent wrote them down. */
  readonly costUsd?: string | undefined;
  readonly thread: 'main' | 'subagent';
  readonly subagentId?: string | undefined;
  readonly project?: string | undefined;
  readonly clientVersion?: string | undefined;
}

/** What a file says that its whole session has used so far. */
export interface TotalsFact extends Tokens {
  readonly kind: 'totals';
  readonly agent: Agent;
  readonly sessionId: string;
  readonly statedAt: string;
  readonly costUsd: string | null;
}

interface CompactionFact {
  readonly kind: 'compaction';
  readonly agent: Agent;
  readonly sessionId: string;
  readonly key: string;
  readonly occurredAt: string;
  readonly preTokens: number | null;
  readonly postTokens: number | null;
}

export type Fact = UsageFact | TotalsFact | CompactionFact;
