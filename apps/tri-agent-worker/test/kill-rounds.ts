import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sameProcess, signalIfSame } from '#platform/processes.js';
import type { Containment } from '../src/containment/containment.js';
import { MarkedEnclosure } from '../src/containment/marked-enclosure.js';
import { endAgent } from '../src/end-agent.js';
import { containmentsHere } from './containments-here.js';
import {
  installHostileAgent,
  marked,
  newMark,
  startHostileTree,
  startStrangers,
  type Manners,
} from './hostile-tree.js';

/** Rounds of one containment against trees of one manner. */
export interface KillFigures {
  readonly containment: string;
  readonly term: Manners;
  readonly rounds: number;
  readonly processes: number;
  readonly survivors: number;
  readonly strangers: number;
  readonly strangersHurt: number;
  /** From the order to when the last process was seen to be gone. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Promises broken, each a sentence. */
  readonly faults: readonly string[];
}

interface Setting extends Pick<Containment, 'enclose'> {
  readonly name: string;
  /** What hides is found only by what holds it, or by its mark. */
  readonly finds: boolean;
}

interface Round {
  readonly processes: number;
  readonly survivors: number;
  readonly isVerified: boolean;
  readonly strangers: number;
  readonly strangersHurt: number;
  readonly ms: number;
}

const limitMs: Readonly<Record<Manners, number>> = { heeds: 2_000, ignores: 7_000 };
/** Trees that wait for the end of their grace cost nothing meanwhile. */
const atOnce: Readonly<Record<Manners, number>> = { heeds: 2, ignores: 10 };
/** What is not promised is only shown. */
const roundsWithoutMark = 10;

export async function* killHostileTrees(rounds: number): AsyncGenerator<KillFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tri-agent-kill-'));
  try {
    const program = installHostileAgent(folder);
    const settings: Setting[] = (await containmentsHere()).map(({ kind, enclose }) => {
      return { name: kind, finds: true, enclose };
    });
    const bare = () => Promise.resolve(new MarkedEnclosure(null));
    settings.push({ name: 'none, without a mark', finds: false, enclose: bare });
    for (const setting of settings) {
      const count = setting.finds ? rounds : Math.min(rounds, roundsWithoutMark);
      for (const term of ['heeds', 'ignores'] as const) {
        const done = await sideBySide(count, atOnce[term], () =>
          killOne(program, folder, setting, term),
        );
        yield figuresOf(setting, term, done);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sideBySide(
  count: number,
  most: number,
  once: () => Promise<Round>,
): Promise<Round[]> {
  const done: Round[] = [];
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      done.push(await once());
    }
  };
  await Promise.all(Array.from({ length: most }, lane));
  return done;
}

async function killOne(
  program: string,
  folder: string,
  { enclose }: Setting,
  manners: Manners,
): Promise<Round> {
  const { agent, attemptId, mark } = await startHostileTree(program, folder, { enclose }, manners);
  const strangersMark = newMark();
  const strangers = startStrangers(program, attemptId, strangersMark);
  try {
    await endWhoHadThatPid(strangers[0]?.pid ?? -1, `${attemptId}-earlier`, { enclose });
    const fromMs = performance.now();
    const { processes, isVerified } = await agent.end();
    const ms = performance.now() - fromMs;
    const survivors = await marked(mark);
    for (const it of survivors) signalIfSame(it, 'SIGKILL');
    return {
      ...{ processes: processes.length, survivors: survivors.length, isVerified, ms },
      strangers: strangers.length,
      strangersHurt: strangers.filter((it) => !sameProcess(it)).length,
    };
  } finally {
    for (const it of await marked(strangersMark)) signalIfSame(it, 'SIGKILL');
  }
}

/** A worker that comes back after days may remember a pid that is a stranger's by now. */
async function endWhoHadThatPid(
  pid: number,
  attemptId: string,
  { enclose }: Pick<Containment, 'enclose'>,
): Promise<void> {
  const enclosure = await enclose({ attemptId, taskId: 'earlier', directory: '/' });
  await endAgent({ attemptId, identity: { pid, startMark: 'earlier' }, enclosure });
}

function figuresOf({ name, finds }: Setting, term: Manners, done: readonly Round[]): KillFigures {
  const sum = (of: (round: Round) => number) => done.reduce((total, it) => total + of(it), 0);
  const times = done.map(({ ms }) => ms).sort((one, other) => one - other);
  const at = (part: number) => Math.round(times[Math.ceil(times.length * part) - 1] ?? 0);
  const figures = {
    ...{ containment: name, term, rounds: done.length },
    processes: sum(({ processes }) => processes),
    survivors: sum(({ survivors }) => survivors),
    strangers: sum(({ strangers }) => strangers),
    strangersHurt: sum(({ strangersHurt }) => strangersHurt),
    ...{ p50Ms: at(0.5), p99Ms: at(0.99) },
  };
  const unverified = done.filter((it) => !it.isVerified).length;
  const faults = [
    [finds && figures.survivors > 0, `${figures.survivors} processes survived.`],
    [finds && unverified > 0, `${unverified} ends could not be verified.`],
    [figures.strangersHurt > 0, `${figures.strangersHurt} strangers were hurt.`],
    [figures.p99Ms > limitMs[term], `It took more than ${limitMs[term]} ms.`],
  ] as const;
  const broken = faults.flatMap(([is, sentence]) => (is ? [`${name}, ${term}: ${sentence}`] : []));
  return { ...figures, faults: broken };
}
