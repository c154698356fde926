import type { Lane, Shard } from '#eventstore/vocabulary/dispatch.events.js';
import type { TaskSpec } from '#libs/dispatch/commands.js';
import type { Chance } from './dispatch-workers.js';

export const lanes: readonly Lane[] = ['critical', 'normal', 'background'];
export const shards: readonly Shard[] = ['impl', 'review', 'architect'];
export const agents = ['claude-code', 'codex', 'gemini'] as const;
export const cent = 10_000_000;
const teams = ['core', 'web', null] as const;

/** A task such as somebody might submit; in some places, one that may not be. */
export function scriptedTask(taskId: string, others: readonly string[], chance: Chance): TaskSpec {
  const dependsOn = others.length > 0 && chance.isBelow(0.3) ? [chance.of(others)] : [];
  const agent = chance.of([...agents, 'any', 'any', 'any', 'any', 'any'] as const);
  const kind = {
    agent,
    lane: chance.of(lanes),
    shard: chance.of(shards),
    team: chance.of(teams),
  };
  const where = { directory: '/work', repository: null, ref: null, permissionMode: null };
  const allowed = { allowedTools: [], maxCostNanoUsd: null };
  const size = chance.of(['small', 'medium', 'large'] as const);
  const bounds = { attemptsMax: 1 + chance.upTo(4), timeoutMs: 20 * 60_000, size };
  const content = { promptHash: 'hash', promptCharacters: 4, tags: [], project: null };
  const idempotencyKey = chance.isBelow(0.5) ? taskId : null;
  const reserveNanoUsd = chance.of([0, 5, 5, 5, 10]) * cent;
  const model = chance.of([null, null, null, null, 'm1']);
  const ids = { taskId, idempotencyKey, dependsOn, model, reserveNanoUsd };
  return { ...ids, ...allowed, ...kind, ...where, ...bounds, ...content };
}
