import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { listProcesses, signalIfSame, type HostProcess } from '#platform/processes.js';
import { ServerProcess } from '#platform/server-process.js';
import { installFakeAgents } from '../../tri-agent-worker/test/fake-agents.js';
import { promptOf, type Script } from '../../tri-agent-worker/test/fake-script.js';
import { DispatchClient } from './dispatch-client.js';
import { freePort } from './support.js';
import { WorkerProgram } from './worker-program.js';

/**
 * A night of work through real processes: a server, two workers and scripted agents of three dialects that
 * fail, hang, babble and leave processes behind, while agents, a worker and the server are killed.
 */
export interface NightReport {
  readonly tasks: number;
  readonly completed: number;
  readonly parked: number;
  readonly attempts: number;
  readonly agentsKilled: number;
  /** Promises broken, each a sentence; empty when all held. */
  readonly faults: readonly string[];
}

const agents = ['claude-code', 'codex', 'gemini'] as const;
const lease = '3000';

export async function liveThroughNight(tasks: number, minutes: number): Promise<NightReport> {
  const folder = mkdtempSync(join(tmpdir(), 'tri-agent-night-'));
  try {
    return await new Night(folder, tasks, minutes).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Night {
  private readonly work: string;
  private readonly home: string;
  private readonly givenUpAtMs: number;
  private server: ServerProcess | undefined;
  private readonly workers: WorkerProgram[] = [];
  private port = 0;
  private agentsKilled = 0;

  constructor(
    folder: string,
    private readonly tasks: number,
    minutes: number,
  ) {
    this.work = join(folder, 'work');
    this.home = join(folder, 'home');
    mkdirSync(this.work);
    this.givenUpAtMs = performance.now() + minutes * 60_000;
  }

  async run(): Promise<NightReport> {
    this.port = await freePort();
    try {
      await this.startServer();
      const taskIds = await this.submit();
      this.workers.push(await this.startWorker('one'), await this.startWorker('two'));
      await this.untilEnded(this.tasks / 4);
      await this.killAnAgent();
      await this.workers[0]?.stop('SIGKILL');
      await this.untilEnded(this.tasks / 2);
      await this.server?.stop('SIGKILL');
      await this.startServer();
      this.workers[0] = await this.startWorker('one');
      await this.untilEnded((this.tasks * 3) / 4);
      await this.killAnAgent();
      await this.untilEnded(this.tasks);
      for (const worker of this.workers) await worker.stop();
      return await this.report(taskIds);
    } finally {
      for (const worker of this.workers) await worker.stop('SIGKILL');
      await this.server?.stop();
    }
  }

  private async startServer(): Promise<void> {
    const environment = { TRI_AGENT_HTTP_PORT: String(this.port), TRI_AGENT_LEASE_MS: lease };
    this.server = await ServerProcess.start({ home: this.home, environment });
  }

  private startWorker(name: string): Promise<WorkerProgram> {
    const bin = join(this.work, `bin-${name}`);
    mkdirSync(bin, { recursive: true });
    const options = ['--name', name, '--slots', '4', '--root', this.work];
    return WorkerProgram.start(this.mustServe(), installFakeAgents(bin), ...options);
  }

  private async submit(): Promise<string[]> {
    const operator = DispatchClient.operatorOf(this.mustServe());
    const ids: string[] = [];
    for (let n = 0; n < this.tasks; n += 1) {
      const { steps, more } = this.taskOf(n);
      const agent = agents[n % agents.length];
      const common = { agent, directory: this.work, prompt: promptOf(steps) };
      ids.push(await operator.submit({ ...common, retries: 5, ...more }));
    }
    return ids;
  }

  /** Every tenth task is of each of these kinds; the others just succeed. */
  private taskOf(n: number): { steps: Script; more?: object } {
    const done = { do: 'succeed', text: `Done ${n}.` } as const;
    const first = (steps: Script) => [{ do: 'once', file: `once-${n}`, steps } as const, done];
    switch (n % 10) {
      case 1:
        return { steps: first([{ do: 'fail', text: 'Not this time.' }]) };
      case 2:
        return { steps: [{ do: 'fail', text: 'Never.' }], more: { retries: 0 } };
      case 3:
        return { steps: first([{ do: 'exit', code: 0 }]) };
      case 4:
        return { steps: first([{ do: 'hang' }]), more: { timeoutMs: 2_000 } };
      case 5:
        return { steps: [{ do: 'spawn', file: `child-${n}` }, done] };
      case 6:
        return { steps: [{ do: 'print', text: '{"half' }, { do: 'tool', command: 'ls' }, done] };
      case 7:
        return {
          steps: first([{ do: 'ignore-term' }, { do: 'hang' }]),
          more: { timeoutMs: 2_000 },
        };
      // A provider that refuses closes for all of its tasks: few of those.
      case 8:
        return n < 10 ? { steps: first([{ do: 'give-up', statusCode: 429 }]) } : { steps: [done] };
      default:
        return { steps: [{ do: 'say', text: 'Working.' }, done] };
    }
  }

  private async untilEnded(count: number): Promise<void> {
    for (;;) {
      const ended = (await this.events()).filter(
        ({ type }) => type === 'AttemptCompleted' || type === 'TaskParked',
      ).length;
      if (ended >= count) return;
      if (performance.now() > this.givenUpAtMs) {
        const printed = this.workers.map((it) => it.printed.slice(-2_000)).join('\n');
        throw new Error(`Only ${ended} of ${this.tasks} tasks have ended in time.\n${printed}`);
      }
      await delay(200);
    }
  }

  private async killAnAgent(): Promise<void> {
    for (const agent of await this.agentProcesses()) {
      if (signalIfSame(agent, 'SIGKILL') !== 'sent') continue;
      this.agentsKilled += 1;
      return;
    }
  }

  private async agentProcesses(): Promise<HostProcess[]> {
    const claimed = new Set(
      (await this.events()).flatMap(({ type, data }) =>
        type === 'TaskClaimed' ? [data.attemptId] : [],
      ),
    );
    return (await listProcesses()).filter((it) => claimed.has(it.attemptId ?? ''));
  }

  /** From the log's file, not from the server. */
  private async events(): Promise<RecordedDomainEvent[]> {
    const log = SqliteLog.open(join(this.home, 'events.db'), { readOnly: true });
    try {
      const all: RecordedDomainEvent[] = [];
      for (;;) {
        const some = await log.read(DISPATCH_STREAM, all.length, 1_000);
        all.push(...(some as RecordedDomainEvent[]));
        if (some.length < 1_000) return all;
      }
    } finally {
      await log.close();
    }
  }

  private async report(taskIds: readonly string[]): Promise<NightReport> {
    const events = await this.events();
    const faults: string[] = [];
    const ends = new Map<string, string[]>();
    for (const { type, data } of events) {
      if (type !== 'AttemptCompleted' && type !== 'TaskParked') continue;
      ends.set(data.taskId, [...(ends.get(data.taskId) ?? []), type]);
    }
    const operator = DispatchClient.operatorOf(this.mustServe());
    for (const [n, taskId] of taskIds.entries()) {
      const end = ends.get(taskId) ?? [];
      const wanted = n % 10 === 2 ? 'TaskParked' : 'AttemptCompleted';
      if (end.length !== 1 || end[0] !== wanted) {
        faults.push(`Task ${n} ended ${end.length} times: ${end.join(', ')}; wanted ${wanted}.`);
      }
      const { body } = await operator.get<{ chain: unknown[] }>(`tasks/${taskId}/why`);
      if (body.chain.length < 3) faults.push(`Task ${n} is not explained.`);
    }
    const left = await this.agentProcesses();
    for (const { pid, arguments: argv } of left) {
      faults.push(`Process ${pid} (${argv.slice(0, 3).join(' ')}) is left.`);
    }
    const count = (type: string) => events.filter((it) => it.type === type).length;
    return {
      tasks: this.tasks,
      completed: count('AttemptCompleted'),
      parked: count('TaskParked'),
      attempts: count('TaskClaimed'),
      agentsKilled: this.agentsKilled,
      faults,
    };
  }

  private mustServe(): ServerProcess {
    if (this.server === undefined) throw new Error('There is no server.');
    return this.server;
  }
}
