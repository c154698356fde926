import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import type { Spender, TripRig } from './trip-rig.js';

/** After the server is back, everything must be dead by then. */
const deadWithinMs = 5_000;
/** A trip takes some ten milliseconds: so the server dies before it, within it and after it. */
const killedWithinMs = 150;

export interface CrashReport {
  readonly rounds: number;
  /** Rounds in which the server died before the usage was acknowledged: it was sent again. */
  readonly sentAgain: number;
  /** From the return of the server to the last process gone. */
  readonly slowestMs: { readonly heedingTerm: number; readonly ignoringTerm: number };
  /** Promises broken, each a sentence. */
  readonly faults: readonly string[];
}

/** Kills the server at random moments between the usage that trips a budget and the end of the agent. */
export async function crashWhileKilling(rig: TripRig, rounds: number): Promise<CrashReport> {
  const faults: string[] = [];
  let sentAgain = 0;
  const slowestMs = { heedingTerm: 0, ignoringTerm: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const heedsTerm = round % 5 !== 0;
    const spender = await rig.begin({ heedsTerm });
    const requestId = randomUUID();
    const sent = rig.spend(spender, requestId).then(
      () => true,
      () => false,
    );
    await delay(randomInt(killedWithinMs));
    await rig.killServer();
    const acknowledged = await sent;
    await rig.startServer();
    if (!acknowledged) {
      // As any exporter does that was not answered.
      sentAgain += 1;
      await rig.spend(spender, requestId);
    }
    const sinceMs = Date.now();
    try {
      const tookMs = (await rig.untilGone(spender, 30_000)) - sinceMs;
      const kind = heedsTerm ? 'heedingTerm' : 'ignoringTerm';
      slowestMs[kind] = Math.max(slowestMs[kind], tookMs);
      // What is told only now trips now: who ignores TERM then has all of its grace.
      const graceMs = acknowledged || heedsTerm ? 0 : limits.processGraceMs;
      if (tookMs > deadWithinMs + graceMs) {
        faults.push(`Round ${round}: all were dead only after ${tookMs} ms.`);
      }
    } catch (error) {
      faults.push(`Round ${round}: ${String(error)}`);
    }
    faults.push(...(await mustStayShut(rig, spender, round)));
  }
  return { rounds, sentAgain, slowestMs, faults };
}

async function mustStayShut(rig: TripRig, { team }: Spender, round: number): Promise<string[]> {
  const taskId = await rig.operator.submit({ team, agent: 'codex', prompt: '[]' });
  const worker = await rig.operator.register({ agents: ['codex'] });
  const claimed = await worker.claim(100);
  const { body } = await rig.operator.get<{ standing: string }>(`budgets/${team}`);
  await rig.post(`tasks/${taskId}/cancel`, { reason: 'The round is over.' });
  await worker.post(`workers/${worker.workerId}/leave`);
  return [
    ...(claimed?.taskId === taskId
      ? [`Round ${round}: a task of the tripped team was claimed.`]
      : []),
    ...(body.standing === 'trip' ? [] : [`Round ${round}: the budget stands at ${body.standing}.`]),
  ];
}
