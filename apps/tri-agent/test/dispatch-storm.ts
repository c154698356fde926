import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import type { QueueAnswer } from '#libs/dispatch/queue.shapes.js';
import { ServerProcess } from '#platform/server-process.js';
import { dispatchEventsIn, eventsOf } from './dispatch-audit.js';
import { DispatchClient, type WorkerClient } from './dispatch-client.js';
import { startScriptedApi, type ScriptedApi } from './scripted-api.js';
import { waitUntil } from './support.js';

export interface StormWish {
  /** What the provider answers with while it refuses. */
  readonly statusCode: number;
  /** Whether it says for how long it wants to be left alone. */
  readonly hasRetryAfter: boolean;
  readonly stormMs: number;
  /** How long to look on after the provider may be called again, and for how many calls. */
  readonly afterwardsMs: number;
  readonly callsAfterwards: number;
}

export interface StormReport {
  readonly calls: number;
  /** Calls that were refused: all of attempts that ran before the first refusal was reported. */
  readonly refused: number;
  /** Calls during the storm of attempts that were claimed before its first refusal was known. */
  readonly underWay: number;
  /** Calls of attempts claimed since, before the provider was to be called again: there may be none. */
  readonly tooEarly: number;
  /** From when it may be called again to the first call. */
  readonly firstAfterMs: number | null;
  /** Between the calls that follow, while dispatch wakes up. */
  readonly gapsMs: readonly number[];
  /** The most calls within a second. */
  readonly perSecond: {
    readonly before: number;
    readonly wakingUp: number;
    readonly after: number;
  };
  readonly shown: QueueAnswer['coolingDown'];
  readonly causes: readonly string[];
  readonly failures: number;
  readonly parked: number;
}

interface Call {
  readonly attemptId: string;
  /** By the clock of the provider. */
  readonly atMs: number;
  readonly isRefused: boolean;
}

const workers = 20;
const latencyMs = 200;
const callsBefore = 100;
const callsWithinMs = 60_000;
const claimWaitMs = 1_000;
const secondMs = 1_000;

/** A model's provider that refuses from one moment to another, and keeps account of who calls. */
class StormyProvider {
  readonly calls: Call[] = [];
  /** Until when it wants to be left alone, as the first that it refused was told. */
  leftAloneUntilMs: number | undefined;
  private api: ScriptedApi | undefined;
  private stormUntilMs = 0;

  constructor(private readonly wish: StormWish) {}

  async start(): Promise<void> {
    this.api = await startScriptedApi<{ attemptId: string }>(/^\/$/, ({ body }, response) => {
      const atMs = performance.now();
      const isRefused = atMs < this.stormUntilMs;
      this.calls.push({ attemptId: body.attemptId, atMs, isRefused });
      const seconds = Math.ceil((this.stormUntilMs - atMs) / secondMs);
      if (isRefused)
        this.leftAloneUntilMs ??= this.wish.hasRetryAfter ? atMs + seconds * secondMs : 0;
      const { statusCode, hasRetryAfter } = this.wish;
      const headers = hasRetryAfter ? { 'retry-after': String(seconds) } : {};
      setTimeout(() => {
        if (isRefused) response.writeHead(statusCode, headers).end('{}');
        else response.writeHead(200).end('{}');
      }, latencyMs);
    });
  }

  get url(): string {
    return this.api?.url ?? '';
  }

  /** Resolves once so many calls have come in since. */
  called(count: number, sinceMs: number): Promise<void> {
    const isCalled = () => this.calls.filter(({ atMs }) => atMs >= sinceMs).length >= count;
    return waitUntil(`the provider was called ${count} times`, isCalled, callsWithinMs);
  }

  refuse(): void {
    this.stormUntilMs = performance.now() + this.wish.stormMs;
  }

  close(): void {
    this.api?.close();
  }
}

/** Twenty workers in a storm: who calls the provider when, and what the queue shows meanwhile. */
export async function survivesStorm(wish: StormWish): Promise<StormReport> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-storm-'));
  const provider = new StormyProvider(wish);
  await provider.start();
  const server = await ServerProcess.start({ home });
  const ending = new AbortController();
  try {
    const operator = DispatchClient.operatorOf(server);
    const coming = Array.from({ length: workers }, () => operator.register());
    const tasks = Array.from({ length: limits.tasksPerBatchMax }, () => ({
      ...{ prompt: '-', agent: 'claude-code', retries: 0 },
    }));
    await operator.insist('tasks/batch', { tasks });
    const working = (await Promise.all(coming)).map((worker) =>
      work(worker, provider, ending.signal),
    );
    await provider.called(callsBefore, 0);
    provider.refuse();
    const startedMs = performance.now();
    let shown: QueueAnswer['coolingDown'] = [];
    await waitUntil('the queue shows that the provider is left alone', async () => {
      shown = (await operator.get<QueueAnswer>('queue')).body.coolingDown;
      return shown.length > 0;
    });
    const mayCallMs = Date.parse(shown[0]?.until ?? '') - Date.now() + performance.now();
    await delay(mayCallMs - performance.now() + wish.afterwardsMs);
    await provider.called(wish.callsAfterwards, mayCallMs);
    ending.abort();
    await Promise.all(working);
    return reportOf(home, provider, startedMs, shown, mayCallMs);
  } finally {
    ending.abort();
    await server.stop();
    provider.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function work(
  worker: WorkerClient,
  provider: StormyProvider,
  ending: AbortSignal,
): Promise<void> {
  while (!ending.aborted) {
    const held = await worker.claim(claimWaitMs);
    if (held === undefined) continue;
    await worker.move(held, 'start');
    const body = JSON.stringify({ attemptId: held.attemptId });
    const { status, headers } = await fetch(provider.url, { method: 'POST', body });
    const seconds = headers.get('retry-after');
    const hint = seconds === null ? {} : { retryAfterMs: Number(seconds) * secondMs };
    if (status === 200) await worker.move(held, 'complete');
    else await worker.move(held, 'fail', { statusCode: status, ...hint });
  }
}

function reportOf(
  home: string,
  { calls, leftAloneUntilMs = 0 }: StormyProvider,
  startedMs: number,
  shown: QueueAnswer['coolingDown'],
  shownUntilMs: number,
): StormReport {
  const events = dispatchEventsIn(home);
  const known = events.findIndex(({ type }) => type === 'CoolDownStarted');
  const claimedSince = new Set(
    eventsOf(events.slice(known), 'TaskClaimed').map((it) => it.attemptId),
  );
  // A provider that says nothing is left alone for as long as dispatch finds right, and shows.
  const mayCallMs = leftAloneUntilMs === 0 ? shownUntilMs : leftAloneUntilMs;
  const late = calls.filter(({ attemptId }) => claimedSince.has(attemptId));
  const after = late.filter(({ atMs }) => atMs >= mayCallMs).map(({ atMs }) => atMs);
  const [first = null] = after;
  const rampUntilMs = (first ?? 0) + limits.coolDownRampMs / 2;
  const wakingUp = after.filter((atMs) => atMs < rampUntilMs);
  const before = calls.filter(({ atMs }) => atMs < startedMs).map(({ atMs }) => atMs);
  const sinceStorm = calls.filter(({ atMs }) => atMs >= startedMs);
  return {
    calls: calls.length,
    refused: calls.filter(({ isRefused }) => isRefused).length,
    underWay: sinceStorm.filter(({ attemptId }) => !claimedSince.has(attemptId)).length,
    tooEarly: late.filter(({ atMs }) => atMs < mayCallMs).length,
    firstAfterMs: first === null ? null : Math.round(first - mayCallMs),
    gapsMs: wakingUp.slice(1, 12).map((atMs, index) => Math.round(atMs - wakingUp[index]!)),
    perSecond: { before: mostIn(before), wakingUp: mostIn(wakingUp), after: mostIn(after) },
    shown,
    causes: eventsOf(events, 'CoolDownStarted').map(({ cause }) => cause),
    failures: eventsOf(events, 'AttemptFailed').length,
    parked: eventsOf(events, 'TaskParked').length,
  };
}

/** The most moments that lie within one second. */
function mostIn(moments: readonly number[]): number {
  const counts = moments.map(
    (from) => moments.filter((atMs) => atMs >= from && atMs < from + secondMs).length,
  );
  return Math.max(0, ...counts);
}
