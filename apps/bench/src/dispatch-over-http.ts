import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { JsonConnection } from './json-connection.js';
import {
  waitBy,
  workOffBy,
  type ClaimingWorker,
  type QueueContender,
  type WorkedOff,
} from './queue-contender.js';

/** Of an answer to a claim, what a worker with an empty handler needs. */
interface Claimed {
  readonly attemptId: string;
  readonly fencingToken: number;
  readonly task: { readonly prompt: string };
}

interface Registered {
  readonly workerId: string;
  readonly token: string;
}

interface Worker extends ClaimingWorker<Claimed> {
  leave(): Promise<void>;
}

/** The server as a process of its own, each worker on a connection of its own, under its own token. */
export class DispatchOverHttp implements QueueContender {
  private constructor(
    private readonly server: ServerProcess,
    private readonly operator: JsonConnection,
  ) {}

  static async start(home: string): Promise<DispatchOverHttp> {
    const server = await ServerProcess.start({ home });
    const token = readFileSync(join(home, 'token'), 'utf8').trim();
    return new DispatchOverHttp(server, new JsonConnection(portOf(server), token));
  }

  async submit(prompt: string): Promise<void> {
    await asked(this.operator, 'tasks', { prompt });
  }

  async submitMany(prompts: readonly string[]): Promise<void> {
    await asked(this.operator, 'tasks/batch', { tasks: prompts.map((prompt) => ({ prompt })) });
  }

  async workOff(count: number): Promise<WorkedOff> {
    const workers = await this.workers(count);
    const worked = await workOffBy(workers);
    for (const worker of workers) await worker.leave();
    return worked;
  }

  async waitForTasks(
    count: number,
    onClaimed: (prompt: string) => void,
  ): Promise<() => Promise<void>> {
    const workers = await this.workers(count);
    const stop = waitBy(workers, 1_000, ({ task }) => {
      onClaimed(task.prompt);
    });
    return async () => {
      await stop();
      for (const worker of workers) await worker.leave();
    };
  }

  async close(): Promise<void> {
    this.operator.close();
    await this.server.stop();
  }

  private async workers(count: number): Promise<Worker[]> {
    const workers = [];
    for (let n = 0; n < count; n += 1) workers.push(await this.worker());
    return workers;
  }

  private async worker(): Promise<Worker> {
    const wanted = { shards: ['impl'] };
    const { workerId, token } = (await asked(this.operator, 'workers', wanted)) as Registered;
    const connection = new JsonConnection(portOf(this.server), token);
    return {
      claim: async (waitMs) =>
        (await asked(connection, 'claims', { workerId, waitMs })) as Claimed | undefined,
      complete: async ({ attemptId, fencingToken }, claimNext) => {
        const completion = { fencingToken, claimNext };
        const moved = await asked(connection, `attempts/${attemptId}/complete`, completion);
        return (moved as { readonly next: Claimed | null }).next ?? undefined;
      },
      leave: async () => {
        await asked(connection, `workers/${workerId}/leave`, {});
        connection.close();
      },
    };
  }
}

async function asked(connection: JsonConnection, path: string, body: object): Promise<unknown> {
  const answer = await connection.post(`/api/v1/${path}`, body);
  if (answer.status < 300) return answer.body;
  throw new Error(`${path} was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
}

function portOf({ ports }: ServerProcess): number {
  return ports.http ?? 0;
}
