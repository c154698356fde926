import { limits } from '#kernel/limits.js';
import type { AgentEnd } from './end-agent.js';
import type { CutOff } from './spend-guard.policy.js';

/** What is known of an agent that was halted. */
interface HaltSeen {
  /** null = none is known. */
  readonly sessionId: string | null;
  /** Undefined: no agent had begun. */
  readonly ended: AgentEnd | undefined;
  /** Which process stands for what could not be looked at. */
  readonly pid: number;
  /** Why it was ended without an order. */
  readonly cutOff: CutOff | undefined;
}

/** What the server is told once an agent has been halted. */
export function haltReport({ sessionId, ended, pid, cutOff }: HaltSeen): object {
  const { processes = [], survivors = [], isVerified = true } = ended ?? {};
  const told = { sessionId, ...(cutOff !== undefined && { cutOff }) };
  if (!isVerified && survivors.length === 0) {
    const unseen = [{ pid, name: 'something that its containment holds' }];
    return { ...told, ended: processes.length, survivors: unseen };
  }
  const named = survivors.slice(0, limits.survivorsToldMax).map(({ pid: its, name }) => {
    return { pid: its, name: name.toWellFormed().slice(0, limits.freeTextCharactersMax) };
  });
  return { ...told, ended: processes.length - survivors.length, survivors: named };
}
