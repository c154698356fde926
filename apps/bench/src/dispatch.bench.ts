import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BullMqQueue } from './bullmq.js';
import { claimsAtLength, type ClaimTimes } from './dispatch-growth.js';
import { DispatchInProcess } from './dispatch-in-process.js';
import { DispatchOverHttp } from './dispatch-over-http.js';
import { percentile } from './http-load.js';
import type { QueueContender, WorkedOff } from './queue-contender.js';
import { RawQueue } from './raw-queue.js';
import { round, type Row } from './report.js';

const promptCharacters = 450;
const perCall = 100;
const rounds = 3;
const workerCounts = [1, 3, 8] as const;
const latencyTasks = 300;
const latencyTasksPerSecond = 100;
const manyQueued = 100_000;

/** Per second. */
interface Rates {
  readonly submits: number;
  readonly batchSubmits: number;
  /** For each number of workers. */
  readonly completions: readonly number[];
}

interface Figures extends Rates {
  /** Undefined where a queue cannot wait. */
  readonly waits: readonly Float64Array[] | undefined;
}

const names = {
  inProcess: 'in process',
  withStart: 'in process, with start told',
  http: 'over HTTP',
  raw: 'raw SQLite',
  peer: 'BullMQ',
} as const;
type Name = keyof typeof names;

/**
 * Submit, claim, complete per second, beside a raw queue in SQLite and beside BullMQ in the same run,
 * the contenders in turn. A task of ours is two events (claimed, completed) in one step, for completing
 * claims the next; where workers also tell that their agent was started, three events in two steps.
 */
export async function benchDispatch(tasks: number): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-bench-'));
  const contenders = new Map<Name, QueueContender>();
  try {
    const inFolder = (name: string): string => {
      mkdirSync(join(home, name));
      return join(home, name);
    };
    const peer = await BullMqQueue.start(join(home, 'peer'));
    contenders.set('inProcess', new DispatchInProcess(inFolder('in-process'), false));
    contenders.set('withStart', new DispatchInProcess(inFolder('with-start'), true));
    contenders.set('http', await DispatchOverHttp.start(inFolder('http')));
    contenders.set('raw', new RawQueue(join(home, 'raw.db')));
    if (typeof peer !== 'string') contenders.set('peer', peer);
    const figures = await measureInTurn(contenders, tasks);
    for (const contender of contenders.values()) await contender.close();
    contenders.clear();
    const few = await claimsAtLength(join(home, 'few.db'), 0);
    const many = await claimsAtLength(join(home, 'many.db'), manyQueued);
    return [
      ratiosOf(figures, typeof peer === 'string' ? peer : null),
      ...[...figures].map(([name, it]) => figuresOf(names[name], it)),
      growthOf(few, many),
    ];
  } finally {
    for (const contender of contenders.values()) await contender.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function measureInTurn(
  contenders: ReadonlyMap<Name, QueueContender>,
  tasks: number,
): Promise<Map<Name, Figures>> {
  const measured = new Map<Name, Rates[]>();
  const order = [...contenders];
  // The first round warms up and is not counted.
  for (let n = 0; n <= rounds; n += 1) {
    for (const [name, contender] of order) {
      const figures = await measureOnce(contender, n === 0 ? Math.ceil(tasks / 4) : tasks);
      if (n > 0) measured.set(name, [...(measured.get(name) ?? []), figures]);
    }
    order.push(...order.splice(0, 1));
  }
  const all = new Map<Name, Figures>();
  for (const [name, contender] of contenders) {
    const waits = await waitsOf(contender);
    all.set(name, { ...medians(measured.get(name) ?? []), waits });
  }
  return all;
}

async function measureOnce(contender: QueueContender, tasks: number): Promise<Rates> {
  const singly = Math.ceil(tasks / 3);
  const submits = await rateOf(singly, async () => {
    for (const prompt of prompts(singly)) await contender.submit(prompt);
  });
  await workOffAll(contender, 1, singly);
  const completions: number[] = [];
  let batchSubmits = 0;
  for (const workers of workerCounts) {
    const batches = Array.from({ length: Math.ceil(tasks / perCall) }, () => prompts(perCall));
    const queued = batches.length * perCall;
    batchSubmits = await rateOf(queued, async () => {
      for (const batch of batches) await contender.submitMany(batch);
    });
    const { seconds } = await workOffAll(contender, workers, queued);
    completions.push(queued / seconds);
  }
  return { submits, batchSubmits, completions };
}

async function workOffAll(
  contender: QueueContender,
  workers: number,
  queued: number,
): Promise<WorkedOff> {
  const worked = await contender.workOff(workers);
  if (worked.tasks === queued) return worked;
  throw new Error(`Of ${queued} tasks ${worked.tasks} were worked off.`);
}

/** From before a task is submitted until an idle worker has it, for each number of workers. */
async function waitsOf(contender: QueueContender): Promise<Float64Array[] | undefined> {
  if (contender.waitForTasks === undefined) return undefined;
  const all: Float64Array[] = [];
  for (const workers of workerCounts) {
    const sinceMs = new Map<string, number>();
    const waitsMs: number[] = [];
    const stop = await contender.waitForTasks(workers, (prompt) => {
      waitsMs.push(performance.now() - (sinceMs.get(prompt) ?? NaN));
    });
    const startMs = performance.now();
    const submissions: Promise<void>[] = [];
    for (const [index, prompt] of prompts(latencyTasks).entries()) {
      const dueMs = startMs + (index * 1_000) / latencyTasksPerSecond;
      await delay(Math.max(0, dueMs - performance.now()));
      sinceMs.set(prompt, performance.now());
      submissions.push(contender.submit(prompt));
    }
    await Promise.all(submissions);
    while (waitsMs.length < latencyTasks) await delay(1);
    await stop();
    all.push(Float64Array.from(waitsMs));
  }
  return all;
}

function prompts(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(promptCharacters / 2).toString('hex'));
}

async function rateOf(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - started);
}

function medians(all: readonly Rates[]): Rates {
  return {
    submits: median(all.map(({ submits }) => submits)),
    batchSubmits: median(all.map(({ batchSubmits }) => batchSubmits)),
    completions: workerCounts.map((_, index) =>
      median(all.map(({ completions }) => completions[index] ?? NaN)),
    ),
  };
}

function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values), 0.5);
}

function ratiosOf(figures: ReadonlyMap<Name, Figures>, whyNoPeer: string | null): Row {
  const ratio = (ours: Name, theirs: Name, of: (figures: Figures) => number) => {
    const [dividend, divisor] = [figures.get(ours), figures.get(theirs)];
    if (dividend === undefined || divisor === undefined) return null;
    return round(of(dividend) / of(divisor), 2);
  };
  const completions =
    (index: number) =>
    ({ completions: all }: Figures) =>
      all[index] ?? NaN;
  const row: Record<string, string | number | null> = { benchmark: 'dispatch, ratios' };
  row['BullMQ with appendfsync always'] = whyNoPeer ?? 'measured in the same run';
  row['one task of ours'] = '1 step: completing claims the next; 2 with start told';
  row['one task of BullMQ'] = '1 step: completing claims the next, and nothing tells of a start';
  row['one task of raw SQLite'] = '2 steps, each a transaction: claim, complete';
  for (const [index, workers] of [...workerCounts.entries()].reverse()) {
    const aim = workers === 8 ? ' (aim 1.5)' : '';
    for (const name of ['inProcess', 'withStart', 'http'] as const) {
      row[`claim+complete, ${workers} workers: ${names[name]} / BullMQ${aim}`] = ratio(
        name,
        'peer',
        completions(index),
      );
    }
  }
  for (const name of ['inProcess', 'withStart', 'http'] as const) {
    row[`claim+complete, 8 workers: ${names[name]} / raw SQLite`] = ratio(
      name,
      'raw',
      completions(2),
    );
  }
  for (const [what, of] of [
    ['1 by 1', ({ submits }: Figures) => submits],
    ['100 per call', ({ batchSubmits }: Figures) => batchSubmits],
  ] as const) {
    row[`submit ${what}: in process / BullMQ`] = ratio('inProcess', 'peer', of);
    row[`submit ${what}: over HTTP / BullMQ`] = ratio('http', 'peer', of);
    row[`submit ${what}: in process / raw SQLite`] = ratio('inProcess', 'raw', of);
  }
  return row;
}

function figuresOf(name: string, { submits, batchSubmits, completions, waits }: Figures): Row {
  const row: Record<string, string | number | null> = { benchmark: `dispatch, ${name}` };
  row['submit 1 by 1 /s'] = round(submits);
  row[`submit ${perCall} per call /s`] = round(batchSubmits);
  for (const [index, workers] of workerCounts.entries()) {
    row[`claim+complete, ${workers} workers /s`] = round(completions[index] ?? NaN);
  }
  for (const [index, workers] of workerCounts.entries()) {
    const all = waits?.[index];
    if (all === undefined) continue;
    row[`submitted to claimed, ${workers} idle workers, p50 / p99 ms`] =
      `${round(percentile(all, 0.5), 2)} / ${round(percentile(all, 0.99), 2)}`;
  }
  return row;
}

function growthOf(few: ClaimTimes, many: ClaimTimes): Row {
  const row: Record<string, string | number | null> = {
    benchmark: `dispatch, claim with ${few.queued} and with ${many.queued} tasks queued`,
  };
  for (const [what, of] of [
    ['decided and durable', ({ durableMs }: ClaimTimes) => durableMs],
    ['decision alone', ({ decisionMs }: ClaimTimes) => decisionMs],
  ] as const) {
    for (const [name, share] of Object.entries({ p50: 0.5, p99: 0.99 })) {
      const [before, after] = [percentile(of(few), share), percentile(of(many), share)];
      row[`${what}, ${name} ratio (aim: flat)`] = round(after / before, 2);
      row[`${what}, ${name} ms`] = `${round(before, 4)} / ${round(after, 4)}`;
    }
  }
  return row;
}
