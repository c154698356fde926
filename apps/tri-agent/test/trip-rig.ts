import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { listProcesses, sameProcess, type HostProcess } from '#platform/processes.js';
import { ServerProcess } from '#platform/server-process.js';
import { installFakeAgents } from '../../tri-agent-worker/test/fake-agents.js';
import { promptOf, type Script } from '../../tri-agent-worker/test/fake-script.js';
import { DispatchClient } from './dispatch-client.js';
import { logsOf, post } from './otlp-sender.js';
import { freePort, waitUntil } from './support.js';
import { WorkerProgram } from './worker-program.js';

/**
 * Agents that spend too much: a built server, a worker, scripted agents that leave processes behind, and
 * budgets that trip. Each trip has a team and a budget of its own, so that several may go side by side.
 */
export interface Spender {
  readonly team: string;
  readonly taskId: string;
  readonly attemptId: string;
  readonly sessionId: string;
  /** Its agent and what that has started. */
  readonly processes: readonly HostProcess[];
}

/** What the log tells of a trip, by the clock on the wall. */
export interface TripTimes {
  readonly trippedAtMs: number;
  readonly orderedAtMs: number;
  readonly confirmedAtMs: number;
}

const spentUsd = 1;
/** Of each spender's budget; no multiple of what is spent in a second. */
export const LIMIT_USD = 0.52;

export class TripRig {
  private readonly folder = mkdtempSync(join(tmpdir(), 'tri-agent-trips-'));
  private readonly work = join(this.folder, 'work');
  readonly home = join(this.folder, 'home');
  private running: ServerProcess | undefined;
  private worker: WorkerProgram | undefined;
  private ports: Readonly<Record<string, string>> = {};

  async start(slots: number): Promise<void> {
    mkdirSync(this.work);
    this.ports = {
      TRI_AGENT_HTTP_PORT: String(await freePort()),
      TRI_AGENT_OTLP_HTTP_PORT: String(await freePort()),
    };
    await this.startServer();
    const bin = join(this.folder, 'bin');
    mkdirSync(bin);
    const options = ['--name', 'spender', '--slots', String(slots), '--root', this.work];
    this.worker = await WorkerProgram.start(this.server, installFakeAgents(bin), ...options);
  }

  get server(): ServerProcess {
    if (this.running === undefined) throw new Error('There is no server.');
    return this.running;
  }

  get operator(): DispatchClient {
    return DispatchClient.operatorOf(this.server);
  }

  async startServer(): Promise<void> {
    const environment = { ...this.ports, TRI_AGENT_DEFAULT_BUDGETS: 'off' };
    this.running = await ServerProcess.start({ home: this.home, environment });
  }

  /** As a crash, at any moment. */
  async killServer(): Promise<void> {
    await this.server.stop('SIGKILL');
    this.running = undefined;
  }

  async stop(): Promise<void> {
    await this.worker?.stop();
    await this.running?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An agent at work, under a budget of its own. */
  async begin({
    heedsTerm,
    maxCostUsd,
  }: {
    readonly heedsTerm: boolean;
    /** The task's own budget, instead of its team's. */
    readonly maxCostUsd?: string;
  }): Promise<Spender> {
    const team = `team-${randomUUID()}`;
    if (maxCostUsd === undefined) {
      const budget = { scope: `team:${team}`, window: 'total', limitUsd: LIMIT_USD };
      await this.put(`budgets/${team}`, budget);
    }
    const left = join(this.work, `${team}.pid`);
    const steps: Script = [
      ...(heedsTerm ? [] : [{ do: 'ignore-term' } as const]),
      { do: 'spawn', file: left },
      { do: 'say', text: 'Spending.' },
      { do: 'hang' },
    ];
    const task = { agent: 'claude-code', team, directory: this.work, prompt: promptOf(steps) };
    const more = { timeoutMs: 600_000, ...(maxCostUsd !== undefined && { maxCostUsd }) };
    const taskId = await this.operator.submit({ ...task, ...more });
    let spender: Spender | undefined;
    await waitUntil('the agent and its child run', async () => {
      spender = await this.spenderOf(team, taskId);
      return spender !== undefined;
    });
    return spender!;
  }

  /** Its telemetry, as Claude Code sends it. Resolves when it is acknowledged; rejects when it is not. */
  async spend(
    { team, taskId, attemptId, sessionId }: Spender,
    requestId: string,
    costUsd = spentUsd,
  ): Promise<void> {
    const record = {
      'event.name': 'api_request',
      'session.id': sessionId,
      ...{ model: 'claude-sonnet-4-5-20250929', request_id: requestId, cost_usd: costUsd },
      ...{ input_tokens: 1_000, output_tokens: 1_000, duration_ms: 900 },
    };
    const resource = { 'task.id': taskId, 'attempt.id': attemptId, 'team.id': team };
    const { status } = await post(this.server, logsOf('claude-code', [record], resource), 'json');
    if (status !== 200) throw new Error(`The export was answered ${status}.`);
  }

  /** Looks at the processes themselves, every few milliseconds. @returns when the last was gone */
  async untilGone({ processes }: Spender, withinMs: number): Promise<number> {
    const givenUpAtMs = Date.now() + withinMs;
    while (processes.some(sameProcess)) {
      if (Date.now() > givenUpAtMs) {
        const left = processes.filter(sameProcess).map(({ pid }) => pid);
        throw new Error(`Processes ${left.join(', ')} are left after ${withinMs} ms.`);
      }
      await delay(2);
    }
    return Date.now();
  }

  /** From the file of the log, whatever the server would answer. */
  async timesOf({ team, attemptId }: Spender): Promise<TripTimes> {
    let times: Partial<TripTimes> = {};
    await waitUntil('the kill is confirmed', () => {
      times = this.readTimes(team, attemptId);
      return times.confirmedAtMs !== undefined;
    });
    return times as TripTimes;
  }

  async post(path: string, body: object): Promise<void> {
    const { status, body: answer } = await this.operator.post(path, body);
    if (status >= 300) throw new Error(`${path} was answered ${status}: ${JSON.stringify(answer)}`);
  }

  async put(path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.server.url}/api/v1/${path}`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${this.operator.token}`,
      },
      body: JSON.stringify(body),
    });
    if (!answer.ok)
      throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
  }

  private async spenderOf(team: string, taskId: string): Promise<Spender | undefined> {
    const { body } = await this.operator.get<{ sessionId: string | null; state: string }>(
      `tasks/${taskId}`,
    );
    if (body.sessionId === null) return undefined;
    const processes = (await listProcesses()).filter((it) => it.taskId === taskId);
    const attemptId = processes[0]?.attemptId;
    // The agent, and what it has left in a group of its own.
    if (attemptId === undefined || processes.length < 2) return undefined;
    return { team, taskId, attemptId, sessionId: body.sessionId, processes };
  }

  private readTimes(team: string, attemptId: string): Partial<TripTimes> {
    const db = new Database(join(this.home, 'events.db'), { readonly: true });
    try {
      const rows = db
        .prepare(
          `SELECT type, data, metadata FROM events WHERE type IN
            ('BudgetTripped', 'AttemptHaltOrdered', 'KillConfirmed') ORDER BY position`,
        )
        .all() as { type: string; data: string; metadata: string }[];
      const at = (type: string, mark: string): number | undefined => {
        const row = rows.find((it) => it.type === type && it.data.includes(mark));
        if (row === undefined) return undefined;
        return Date.parse((JSON.parse(row.metadata) as { recordedAt: string }).recordedAt);
      };
      const trippedAtMs = at('BudgetTripped', team);
      const orderedAtMs = at('AttemptHaltOrdered', attemptId);
      const confirmedAtMs = at('KillConfirmed', attemptId);
      return {
        ...(trippedAtMs !== undefined && { trippedAtMs }),
        ...(orderedAtMs !== undefined && { orderedAtMs }),
        ...(confirmedAtMs !== undefined && { confirmedAtMs }),
      };
    } finally {
      db.close();
    }
  }
}
