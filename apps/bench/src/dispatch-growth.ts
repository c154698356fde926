import { randomUUID } from 'node:crypto';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { lane, shard } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import type { TaskSpec } from '#libs/dispatch/commands.js';
import { dispatchDecider } from '#libs/dispatch/dispatch.decider.js';
import type { Dispatcher } from '#libs/dispatch/dispatcher.js';
import { dispatcherOn } from './dispatch-in-process.js';

const claims = 2_000;
const actor = 'operator:bench';
const workerId = 'worker';

/** How long claims take while the queue is so long. */
export interface ClaimTimes {
  readonly queued: number;
  readonly decisionMs: Float64Array;
  readonly durableMs: Float64Array;
}

/**
 * With tasks of all lanes and shards, one of each at least. For each task that is claimed and completed
 * another is submitted, so that the length stays.
 */
export async function claimsAtLength(file: string, length: number): Promise<ClaimTimes> {
  const log = SqliteLog.open(file);
  const dispatcher = dispatcherOn(log);
  const specs = everyKind();
  const queued = Math.max(length, specs.length);
  await register(dispatcher);
  for (let from = 0; from < queued; from += limits.tasksPerBatchMax) {
    const size = Math.min(limits.tasksPerBatchMax, queued - from);
    await submit(
      dispatcher,
      Array.from({ length: size }, (_, index) => specs[index % specs.length]),
    );
  }
  const decisionMs = new Float64Array(claims);
  const durableMs = new Float64Array(claims);
  const state = await dispatcher.state();
  for (let n = 0; n < claims; n += 1) {
    const attemptId = randomUUID();
    const command = { type: 'claim', workerId, ...dispatcher.wish(attemptId) } as const;
    const decidingAt = performance.now();
    dispatchDecider.decide({ ...command, nowMs: dispatcher.nowMs }, state);
    decisionMs[n] = performance.now() - decidingAt;
    const claimingAt = performance.now();
    const attempt = await dispatcher.claim(workerId, attemptId, actor, undefined);
    durableMs[n] = performance.now() - claimingAt;
    if (attempt === undefined) throw new Error('There was no task to claim.');
    const { fencingToken, taskId } = attempt;
    const spec = state.tasks.get(taskId)?.spec;
    const ids = { attemptId, fencingToken };
    await dispatcher.move({ type: 'start', ...ids, sessionId: null }, actor);
    await dispatcher.move({ type: 'complete', ...ids, resultHash: null, claimNext: null }, actor);
    await submit(dispatcher, [spec]);
  }
  await dispatcher.stop();
  await log.close();
  return { queued, decisionMs, durableMs };
}

async function register(dispatcher: Dispatcher): Promise<void> {
  const agent = 'claude-code' as const;
  const seats = [{ agent, provider: 'anthropic', account: 'default', models: [] }];
  const shards = [...shard.options];
  const worker = {
    workerId,
    tokenHash: '0',
    host: 'bench',
    shards,
    slots: 1,
    seats,
    agents: [],
    containment: null,
  };
  await dispatcher.order({ type: 'register-worker', worker }, actor);
}

async function submit(
  dispatcher: Dispatcher,
  specs: readonly (TaskSpec | undefined)[],
): Promise<void> {
  const tasks = specs.flatMap((spec) =>
    spec === undefined ? [] : { ...spec, taskId: randomUUID() },
  );
  await dispatcher.order({ type: 'submit', tasks }, actor);
}

function everyKind(): TaskSpec[] {
  return lane.options.flatMap((itsLane) =>
    shard.options.map((itsShard): TaskSpec => ({
      ...{ taskId: '', idempotencyKey: null, dependsOn: [], agent: 'any', model: null },
      ...{ lane: itsLane, shard: itsShard, size: 'medium', team: null, project: null, tags: [] },
      ...{ promptHash: '0'.repeat(64), directory: null, repository: null, ref: null },
      ...{ allowedTools: [], maxCostNanoUsd: null },
      ...{ permissionMode: null, attemptsMax: 1, promptCharacters: 450, reserveNanoUsd: 0 },
      timeoutMs: limits.attemptMsDefault,
    })),
  );
}
