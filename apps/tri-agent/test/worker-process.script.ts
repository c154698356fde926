import type { MoveName } from '#libs/dispatch/attempts.shapes.js';
import type { Registered } from '#libs/dispatch/workers.shapes.js';
import { WorkerClient } from './dispatch-client.js';

/**
 * A worker as a process of its own, so that it can be stopped and killed: claims one task, starts it and
 * beats. Over its channel it tells of each answer, and takes moves to make. Started by `WorkerProcess`.
 */
const claimWaitMs = 30_000;
const [url = '', registered = ''] = process.argv.slice(2);
const worker = new WorkerClient(url, JSON.parse(registered) as Registered);

const held = await worker.mustClaim(claimWaitMs);
await worker.move(held, 'start');
process.send?.({ held });

async function make(move: MoveName, more: object = {}): Promise<void> {
  const { status, body } = await worker.move<{ code?: string }>(held, move, more);
  process.send?.({ answer: { move, status, code: body.code ?? null } });
}

const beating = setInterval(() => void make('beat'), worker.registered.beatEveryMs);
process.on('message', ({ move, more }: { move: MoveName; more: object }) => {
  void make(move, more);
});
process.once('disconnect', () => {
  clearInterval(beating);
});
