import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { BudgetStep } from '#eventstore/vocabulary/budgets.events.js';

/**
 * What the kill switch asks of other contexts, which it does not know: the server hands it these when it
 * is put together.
 */

/** How a budget stands at this moment. */
export interface Standing {
  readonly budgetId: string;
  /** As `budgetScope` in the vocabulary has it. */
  readonly scope: string;
  readonly step: BudgetStep | 'open';
  /** A sentence for people. */
  readonly reason: string;
  /** Whether what was spent is known at this moment; a trip stands either way. */
  readonly isKnown: boolean;
}

export interface BudgetStandings {
  /** Undefined while not even the budgets are known. */
  standings(): readonly Standing[] | undefined;
  /** @returns what ends it */
  listen(listener: () => void): () => void;
}

/** An attempt that a worker has at this moment. */
export interface RunningWork {
  readonly taskId: string;
  readonly attemptId: string;
  readonly workerId: string;
  readonly agent: AgentName;
  readonly sessionId: string | null;
  /** All that it counts against, as dispatch names it: `all`, `team:core`, `model:...` */
  readonly scopes: readonly string[];
  /** How it is being stopped already. */
  readonly halting: 'pause' | 'kill' | null;
}

export interface Halt {
  readonly target: { readonly taskId: string } | { readonly scope: string };
  readonly how: 'pause' | 'kill';
  readonly reason: string;
  /** Who has to lift it again; null = an operator. */
  readonly holder: string | null;
}

/** What became of an attempt. `survivors` = its worker looked, and these were left. */
export interface AttemptEnd {
  readonly attemptId: string;
  readonly ended: number;
  /** Null: nobody has looked, since its worker fell silent or was gone. */
  readonly survivors: readonly { readonly pid: number; readonly name: string }[] | null;
}

export interface WorkControl {
  running(): readonly RunningWork[];
  /** Scopes that nothing is claimed of, because a budget has tripped. */
  tripped(): readonly string[];
  /** Who keeps anything halted. */
  holders(): readonly string[];
  trip(scope: string, reason: string): Promise<void>;
  reset(scope: string, reason: string): Promise<void>;
  /** That nothing new is claimed, by an operator's word. */
  pauseClaims(reason: string, actor: string): Promise<void>;
  halt(halt: Halt, actor: string): Promise<void>;
  /** What that holder halted goes on. */
  lift(holder: string, reason: string): Promise<void>;
  /** Tells that something of this may have changed. @returns what ends it */
  listen(listener: () => void): () => void;
  /** What became of these, of those that have ended: from the log, so it may take a moment. */
  endsOf(attemptIds: ReadonlySet<string>): Promise<readonly AttemptEnd[]>;
  /** Tells of attempts as they end. @returns what ends it */
  listenToEnds(listener: (end: AttemptEnd) => void): () => void;
}

/** An agent that a person began, and whose process is known. */
export interface LiveAgent {
  readonly agent: AgentName;
  readonly sessionId: string;
  readonly host: string;
  readonly pid: number;
  readonly startMark: string;
}

export interface LiveAgents {
  alive(): readonly LiveAgent[];
  /** @returns what ends it */
  listen(listener: () => void): () => void;
}

/** Whom a session works for, and with what, as far as its telemetry has told. */
export interface SessionFacts {
  readonly team: string | null;
  readonly project: string | null;
  readonly userId: string | null;
  readonly taskId: string | null;
  readonly models: readonly string[];
}

/** Undefined: nothing is known of it yet. */
export type FactsOf = (agent: AgentName, sessionId: string) => SessionFacts | undefined;

/** What orders of people are worked out from; a class, so that it can be asked for by its name. */
export class KillPorts {
  constructor(
    readonly work: WorkControl,
    readonly agents: LiveAgents,
  ) {}
}
