import type { KillTarget } from '#eventstore/vocabulary/kills.events.js';
import { Refusal } from '#kernel/refusal.js';
import type { LiveAgent, LiveAgents, RunningWork, WorkControl } from './ports.js';

/** What an operator wants ended. */
export type KillAim =
  | { readonly kind: 'task'; readonly taskId: string }
  | { readonly kind: 'session'; readonly sessionId: string }
  | { readonly kind: 'worker'; readonly workerId: string }
  | { readonly kind: 'all' };

export function attemptTarget({ taskId, attemptId, workerId }: RunningWork): KillTarget {
  return { kind: 'attempt', taskId, attemptId, workerId };
}

export function sessionTarget(live: LiveAgent): KillTarget {
  const { agent, sessionId, host, pid, startMark } = live;
  return { kind: 'session', agent, sessionId, host, pid, startMark };
}

/**
 * What runs of it at this moment.
 *
 * @throws {Refusal} `NOTHING_TO_KILL` when nothing of it does, or nobody knows where; of `all`, nothing
 * is an answer
 */
export function targetsOf(
  aim: KillAim,
  work: WorkControl,
  agents: LiveAgents,
): readonly KillTarget[] {
  const attempts = work.running().filter((it) => isAimedAt(aim, it));
  const sessions = agents.alive().filter((it) => aim.kind === 'all' || isSession(aim, it));
  const targets = [...attempts.map(attemptTarget), ...sessions.map(sessionTarget)];
  if (targets.length > 0 || aim.kind === 'all') return targets;
  throw new Refusal('NOTHING_TO_KILL', sentences[aim.kind], { ...aim });
}

function isAimedAt(aim: KillAim, attempt: RunningWork): boolean {
  switch (aim.kind) {
    case 'all':
      return true;
    case 'task':
      return attempt.taskId === aim.taskId;
    case 'worker':
      return attempt.workerId === aim.workerId;
    case 'session':
      return attempt.sessionId === aim.sessionId;
  }
}

function isSession(aim: KillAim, { sessionId }: LiveAgent): boolean {
  return aim.kind === 'session' && aim.sessionId === sessionId;
}

const sentences: Readonly<Record<Exclude<KillAim['kind'], 'all'>, string>> = {
  task: 'No attempt of this task runs at this moment. See "tri-agent-ctl tasks show".',
  worker: 'No attempt of this worker runs at this moment. See "tri-agent-ctl workers list".',
  session:
    'No process of this session is known. Agents that people start are registered by their hooks: see "tri-agent-ctl connect claude --write".',
};
