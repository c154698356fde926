import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '#platform/project-root.js';
import { round, type Row } from './report.js';

type Step = 'detectMs' | 'decideMs' | 'signalMs' | 'verifyMs' | 'allGoneMs';
type Timed = Readonly<Record<Step, number>>;

/** What the script prints, which has the server, its worker and the agents for it. */
interface Measured {
  readonly heeding: readonly Timed[];
  readonly ignoring: readonly Timed[];
  readonly overrunsUsd: readonly number[];
  readonly burnUsdPerMinute: number;
}

/** Promises of the kill switch: from the event to the last process gone. */
const limitMs = { heeding: 2_000, ignoring: 7_000 };
const overrunUsdMax = 1.5;

const steps: Readonly<Record<Step, string>> = {
  detectMs: 'detect (usage in -> budget tripped)',
  decideMs: 'decide (tripped -> kill ordered)',
  signalMs: 'signal (ordered -> last process gone)',
  verifyMs: 'verify (gone -> confirmed in the log)',
  allGoneMs: 'usage in -> all gone',
};

/** Over so many trips of agents that heed TERM, as many that ignore it, and some that go on spending. */
export async function benchKill(trips: number): Promise<Row[]> {
  const script = join(projectRoot(), 'dist/apps/tri-agent/test/kill-speed.script.js');
  const run = promisify(execFile);
  const argv = [script, '--trips', String(trips)];
  const { stdout } = await run(process.execPath, argv, { maxBuffer: 16 * 1024 * 1024 });
  const { heeding, ignoring, overrunsUsd, burnUsdPerMinute } = JSON.parse(stdout) as Measured;
  return [
    rowOf('kill: agents that heed TERM', heeding, limitMs.heeding),
    rowOf('kill: agents that ignore TERM (5 s of grace)', ignoring, limitMs.ignoring),
    overrunRowOf(overrunsUsd, burnUsdPerMinute),
  ];
}

function rowOf(benchmark: string, timed: readonly Timed[], limit: number): Row {
  const figures = Object.entries(steps).flatMap(([step, name]) => {
    const told = timed.map((one) => one[step as Step]);
    return [
      [`${name}, ms p50`, at(told, 0.5)],
      [`${name}, ms p99`, at(told, 0.99)],
    ];
  });
  const p99 = at(
    timed.map(({ allGoneMs }) => allGoneMs),
    0.99,
  );
  return {
    benchmark,
    trips: timed.length,
    ...(Object.fromEntries(figures) as Row),
    'limit, ms': limit,
    'p99 / limit': round(p99 / limit, 2),
  };
}

function overrunRowOf(overrunsUsd: readonly number[], burnUsdPerMinute: number): Row {
  const most = at(overrunsUsd, 1);
  return {
    benchmark: `kill: spent beyond the limit at $${burnUsdPerMinute} a minute, told every second`,
    trips: overrunsUsd.length,
    'overrun p50, $': round(at(overrunsUsd, 0.5), 3),
    'overrun max, $': round(most, 3),
    'limit, $': overrunUsdMax,
    'max / limit': round(most / overrunUsdMax, 2),
  };
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
