import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { QueueContender, WorkedOff } from './queue-contender.js';

const peers = ['bullmq@6.7.0', 'ioredis@6.0.0'];
const queueName = 'bench';

interface Job {
  readonly data: { readonly prompt: string };
}

interface Queue {
  add(name: string, data: Job['data']): Promise<unknown>;
  addBulk(jobs: readonly (Job & { readonly name: string })[]): Promise<unknown>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

interface Worker {
  run(): Promise<void>;
  on(event: 'completed', listener: () => void): void;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

/** The part of its interface that is used here: it is installed when the benchmark runs. */
interface BullMq {
  readonly Queue: new (name: string, options: object) => Queue;
  readonly Worker: new (
    name: string,
    processor: (job: Job) => Promise<void>,
    options: object,
  ) => Worker;
}

/** BullMQ on a Redis of its own that syncs every command to disk before it answers. */
export class BullMqQueue implements QueueContender {
  private queued = 0;

  private constructor(
    private readonly bullMq: BullMq,
    private readonly connection: { readonly host: string; readonly port: number },
    private readonly redis: ChildProcess,
    private readonly queue: Queue,
  ) {}

  /** @returns why it cannot take part, where it cannot. */
  static async start(folder: string): Promise<BullMqQueue | string> {
    if (spawnSync('redis-server', ['--version']).status !== 0) {
      return 'not measured: there is no redis-server here';
    }
    mkdirSync(folder);
    const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--silent'];
    if (spawnSync('npm', ['install', ...options, ...peers]).status !== 0) {
      return `not measured: ${peers.join(' and ')} cannot be installed here`;
    }
    const bullMq = createRequire(join(folder, 'x.js'))('bullmq') as BullMq;
    const connection = { host: '127.0.0.1', port: await freePort() };
    const redis = await startRedis(folder, connection.port);
    const queue = new bullMq.Queue(queueName, { connection });
    await queue.waitUntilReady();
    return new BullMqQueue(bullMq, connection, redis, queue);
  }

  async submit(prompt: string): Promise<void> {
    await this.queue.add('task', { prompt });
    this.queued += 1;
  }

  async submitMany(prompts: readonly string[]): Promise<void> {
    await this.queue.addBulk(prompts.map((prompt) => ({ name: 'task', data: { prompt } })));
    this.queued += prompts.length;
  }

  async workOff(count: number): Promise<WorkedOff> {
    const tasks = this.queued;
    this.queued = 0;
    const workers = await this.workers(count, () => undefined);
    let completed = 0;
    const started = performance.now();
    await new Promise<void>((resolve) => {
      for (const worker of workers) {
        worker.on('completed', () => {
          completed += 1;
          if (completed === tasks) resolve();
        });
        void worker.run();
      }
    });
    const seconds = (performance.now() - started) / 1_000;
    await Promise.all(workers.map((worker) => worker.close()));
    return { tasks: completed, seconds };
  }

  async waitForTasks(
    count: number,
    onClaimed: (prompt: string) => void,
  ): Promise<() => Promise<void>> {
    const workers = await this.workers(count, onClaimed);
    for (const worker of workers) void worker.run();
    return async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      this.queued = 0;
    };
  }

  async close(): Promise<void> {
    await this.queue.close();
    const ended = once(this.redis, 'exit');
    this.redis.kill();
    await ended;
  }

  private async workers(count: number, onClaimed: (prompt: string) => void): Promise<Worker[]> {
    const { connection } = this;
    const options = { connection, concurrency: 1, autorun: false };
    const handle = ({ data }: Job): Promise<void> => {
      onClaimed(data.prompt);
      return Promise.resolve();
    };
    const workers = Array.from(
      { length: count },
      () => new this.bullMq.Worker(queueName, handle, options),
    );
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    return workers;
  }
}

async function startRedis(folder: string, port: number): Promise<ChildProcess> {
  const where = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const redis = spawn('redis-server', [...where, ...durable], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(redis.stdout)) {
    if (line.includes('Ready to accept connections')) break;
  }
  redis.stdout.resume();
  if (redis.exitCode !== null) throw new Error('The redis-server did not start.');
  return redis;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
