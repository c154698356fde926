import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { MoveName } from '#libs/dispatch/attempts.shapes.js';
import { projectRoot } from '#platform/project-root.js';
import type { Held, WorkerClient } from './dispatch-client.js';
import { waitUntil } from './support.js';

interface MoveAnswer {
  readonly move: MoveName;
  readonly status: number;
  /** Of a refusal. */
  readonly code: string | null;
}

type Told = { readonly held: Held } | { readonly answer: MoveAnswer };

/** A worker that can be stopped and killed like any process. It begins by claiming and starting a task. */
export class WorkerProcess {
  readonly answers: MoveAnswer[] = [];
  private claimed: Held | undefined;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (told: Told) => {
      if ('held' in told) this.claimed = told.held;
      else this.answers.push(told.answer);
    });
  }

  /** Resolves once the worker has started a task. */
  static async start({ url, registered }: WorkerClient): Promise<WorkerProcess> {
    const script = join(projectRoot(), 'dist/apps/tri-agent/test/worker-process.script.js');
    const worker = new WorkerProcess(fork(script, [url, JSON.stringify(registered)]));
    await waitUntil('the worker has a task', () => worker.claimed !== undefined);
    return worker;
  }

  get held(): Held {
    if (this.claimed === undefined) throw new Error('It has no task.');
    return this.claimed;
  }

  /** How many of its beats were answered so. */
  beats(status: number): number {
    return this.answers.filter((it) => it.move === 'beat' && it.status === status).length;
  }

  /** Has it make a move, and waits for what it is answered. */
  async make(move: MoveName, more: object = {}): Promise<MoveAnswer> {
    const { length } = this.answers;
    const answer = () => this.answers.slice(length).find((it) => it.move === move);
    this.child.send({ move, more });
    await waitUntil(`the worker was answered its ${move}`, () => answer() !== undefined);
    return answer()!;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
