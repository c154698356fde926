import type { KillTarget } from '#eventstore/vocabulary/kills.events.js';
import type { Kill } from './kills.decider.js';
import type { KillItem } from './kills.shapes.js';

const nothing = {
  taskId: null,
  attemptId: null,
  workerId: null,
  agent: null,
  sessionId: null,
  host: null,
  pid: null,
};

/** All of its fields, whatever kind it is; the mark of a process is of no use to anybody else. */
export function describeTarget(target: KillTarget): KillItem['target'] {
  if (target.kind === 'attempt') return { ...nothing, ...target };
  const { kind, agent, sessionId, host, pid } = target;
  return { ...nothing, kind, agent, sessionId, host, pid };
}

export function describeKill({ killId, target, reason, budgetId, outcome }: Kill): KillItem {
  return { killId, target: describeTarget(target), reason, budgetId, outcome };
}
