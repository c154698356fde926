import type { Outcome } from './agents/agent.js';

/** Ends of attempts that no agent told. */

export function failed(error: string, retryable: boolean): Outcome & { readonly is: 'failed' } {
  return { is: 'failed', error, retryable, sessionId: null };
}

export function gone(error: string): Outcome {
  return { ...failed(error, true), isConversationGone: true };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
