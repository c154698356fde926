import { usdText } from '#kernel/money.js';
import type { Explanation } from './explain.js';
import type { TaskAnswer } from './task.shapes.js';
import { because, durationText, holderText } from './words.js';

/** What a task waits for, in words. */

type WaitsFor = Explanation['waitsFor'][number];
type Gate = Extract<WaitsFor, { for: 'gate' }>;

/** Where both clocks stand at this moment: that of dispatch, and that on the wall since 1970. */
export interface Clocks {
  readonly nowMs: number;
  readonly wallNowMs: number;
}

/** Why the task is where it is, each a sentence. */
export function whyNow(explanation: Explanation, clocks: Clocks): string[] {
  const waits = explanation.waitsFor.map((it) => waitText(it, clocks));
  return [...standingOf(explanation), ...waits];
}

/**
 * Of a task that dispatch has forgotten because it ended long ago, from its read model; undefined when
 * it has not ended.
 */
export function explanationOfEnded({
  taskId,
  state,
  attemptId,
  resultHash,
  reason,
}: EndedFacts): Explanation | undefined {
  const nothing = { taskId, conversation: null, halt: null, dueMs: null, waitsFor: [] };
  if (state === 'completed') {
    return { ...nothing, status: { is: state, attemptId: attemptId ?? '', resultHash } };
  }
  if (state !== 'cancelled') return undefined;
  return { ...nothing, status: { is: state, reason: reason ?? '' } };
}

type EndedFacts = Pick<TaskAnswer, 'taskId' | 'state' | 'attemptId' | 'resultHash' | 'reason'>;

/** Nothing when what it waits for says it all. */
function standingOf({ status, halt, conversation }: Explanation): string[] {
  switch (status.is) {
    case 'running': {
      const runs = `It runs, as attempt ${status.attemptId}.`;
      if (halt === null) return [runs];
      return [runs, because(`It is about to be halted by ${holderText(halt.holder)}`, halt.reason)];
    }
    case 'paused':
      return [
        because(`It is paused by ${holderText(status.holder)}`, status.reason),
        conversation === null
          ? 'Resume it to have it begin anew: it had no conversation yet.'
          : `Resume it to have it carry on its conversation on host ${conversation.host}; retry it to have it begin anew anywhere.`,
      ];
    case 'completed':
      return [`It has completed, by attempt ${status.attemptId}.`];
    case 'cancelled':
      return [because('It was cancelled', status.reason)];
    case 'parked':
      return [
        `${because('It is among the dead letters', status.reason)} Replay it to have it run again.`,
      ];
    default:
      return [];
  }
}

function waitText(wait: WaitsFor, clocks: Clocks): string {
  switch (wait.for) {
    case 'dependency':
      return `It waits for task ${wait.taskId}, which is ${wait.status}.`;
    case 'time':
      return `It failed, and is tried again ${untilText(wait.untilMs, clocks)}.`;
    case 'seat': {
      const agent = wait.agent === 'any' ? 'any agent' : wait.agent;
      const model = wait.model === null ? '' : ` with the model ${wait.model}`;
      if (wait.host !== null) {
        return `Its conversation is on host ${wait.host} and can only be carried on there, and no worker is registered there that has ${agent}${model}. Start that worker again, or retry the task to have it begin anew anywhere.`;
      }
      return `No registered worker has a seat for it: it wants ${agent}${model}.`;
    }
    case 'slot': {
      const runs = wait.running === 1 ? '1 attempt runs' : `${wait.running} attempts run`;
      return `Worker ${wait.workerId} could run it, but has no free slot: ${runs} there.`;
    }
    case 'gate':
      return gateText(wait, clocks);
    case 'turn': {
      const ahead = wait.aheadOfItsKind;
      if (ahead === 0) return 'Nothing is in its way: the next claim that may have it takes it.';
      return ahead === 1
        ? '1 task of its kind is before it.'
        : `${ahead} tasks of its kind are before it.`;
    }
  }
}

function gateText(gate: Gate, clocks: Clocks): string {
  switch (gate.gate) {
    case 'paused':
      return because(`${claimsOf(gate.scope)} are paused`, gate.reason);
    case 'draining':
      return because(`${claimsOf(gate.scope)} are shut, so that work comes to rest`, gate.reason);
    case 'tripped':
      return because(`${claimsOf(gate.scope)} are shut until somebody resets them`, gate.reason);
    case 'cooling-down':
      return `${providerOf(gate)} is cooling down until ${untilText(gate.untilMs, clocks)}.`;
    case 'waking-up':
      return `${providerOf(gate)} comes back from a cool-down: claims follow one by one.`;
    case 'wip-limit': {
      const { scope, limit, running } = gate;
      return `At most ${limit} attempts${ofScope(scope)} may run at once, and ${running} do.`;
    }
    case 'budget-shut':
      return because(`${claimsOf(gate.scope)} are shut`, gate.reason);
    case 'budget': {
      const { scope, limitNanoUsd, spentNanoUsd, reservedNanoUsd, wantedNanoUsd } = gate;
      const all = `${usdText(limitNanoUsd)} in all, ${usdText(spentNanoUsd)} spent, ${usdText(reservedNanoUsd)} reserved`;
      return `The budget${ofScope(scope)} leaves too little: ${all}; it wants ${usdText(wantedNanoUsd)}.`;
    }
  }
}

function claimsOf(scope: string): string {
  return scope === 'all' ? 'All claims' : `Claims${ofScope(scope)}`;
}

/** ` of team core`; nothing of everything. */
function ofScope(scope: string): string {
  return scope === 'all' ? '' : ` of ${scope.replace(':', ' ')}`;
}

type Provider = Extract<Gate, { provider: string }>;
function providerOf({ provider, account, model }: Provider): string {
  return `${provider} (account ${account}${model === null ? '' : `, model ${model}`})`;
}

function untilText(untilMs: number, { nowMs, wallNowMs }: Clocks): string {
  const leftMs = Math.max(0, untilMs - nowMs);
  return `${new Date(wallNowMs + leftMs).toISOString()}, in ${durationText(leftMs)}`;
}
