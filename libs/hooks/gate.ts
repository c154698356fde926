import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';

/** Who asks whether it may go on. */
export interface Asking {
  readonly agent: AgentName;
  readonly sessionId: string;
  /** Where it works; null where the agent does not tell. */
  readonly directory: string | null;
}

/**
 * Says whether an agent may go on. It is asked before every prompt and tool, while the agent waits: it
 * answers from memory. A class, so that it is its own injection token.
 */
export abstract class Gate {
  /** One sentence for the person at the agent; null = it may go on. */
  abstract stopReasonFor(asking: Asking): string | null;
}
