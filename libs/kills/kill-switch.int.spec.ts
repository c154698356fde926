import { hostname } from 'node:os';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { KILLS_STREAM, type KillTarget } from '#eventstore/vocabulary/kills.events.js';
import { Clock } from '#platform/clock.js';
import {
  polite,
  runs,
  StartedProcesses,
  stubborn,
  until,
} from '#platform/started-processes.spec-helper.js';
import { markProcess } from '#platform/process-mark.js';
import { listProcesses, signalIfSame, type HostProcess } from '#platform/processes.js';
import { KillSwitch } from './kill-switch.js';
import { runningWork, ScriptedWork } from './scripted-work.spec-helper.js';
import { attemptTarget } from './targets.js';

const started = new StartedProcesses();
let log: MemoryLog;
let work: ScriptedWork;
let reports: string[];
let killSwitch: KillSwitch;

const makeSwitch = () =>
  new KillSwitch({ log, work, clock: new Clock(), report: (it) => reports.push(it) });
beforeEach(async () => {
  log = new MemoryLog();
  work = new ScriptedWork();
  reports = [];
  killSwitch = makeSwitch();
  await killSwitch.start();
});
afterEach(async () => {
  await killSwitch.stop();
  started.end();
  expect(reports).toEqual([]);
});

const sessionOf = ({ pid, startMark }: HostProcess, host = hostname()) => ({
  ...({ kind: 'session', agent: 'claude-code', sessionId: 'session-1', host } as const),
  ...{ pid, startMark },
});
const order = (target: Parameters<KillSwitch['order']>[0]['targets'][number]) =>
  killSwitch.order({ targets: [target], reason: 'Too much.', budgetId: null, actor: 'test' });
const told = async () => (await log.read(KILLS_STREAM, 0, 100)).map(({ type }) => type);
const outcome = () => [...killSwitch.known.values()].at(-1)?.outcome;
const settled = () => until(() => outcome()?.is !== 'open');

describe('A session that a person began on this host', () => {
  test('is ended with what it started, and seen to have ended', async () => {
    const [stranger] = await started.start(polite);
    const [agent, child] = await started.start(
      `const child = begin("console.log('up');", { detached: true });
       told(child).then(() => pids(child.pid));`,
    );
    await order(sessionOf(agent!));
    await settled();
    expect(outcome()).toMatchObject({ is: 'confirmed', ended: 2 });
    expect([agent!, child!].map(runs)).toEqual([false, false]);
    expect(runs(stranger!)).toBe(true);
    expect(await told()).toEqual(['KillOrdered', 'KillConfirmed']);
  });

  test('is ended with what hides from its tree, once its hooks have told of it', async () => {
    const [stranger] = await started.start(polite);
    // Its grandchild has neither its environment nor its session, and its child is gone.
    const [agent] = await started.start(`
      process.on('SIGUSR2', () => {
        const script = \`
          const { spawn } = require('node:child_process');
          const argv = ['-e', 'setTimeout(() => 0, 300_000)', process.argv[1]];
          spawn(process.execPath, argv, { env: {}, stdio: 'ignore', detached: true }).unref();\`;
        spawn(process.execPath, ['-e', script, 'hidden-' + process.pid], { detached: true });
      });
      pids();`);
    const isMarked = await markProcess(agent!);
    // A mark that is there stays: it may be a worker's.
    expect(await markProcess(agent!)).toBe(false);
    process.kill(agent!.pid, 'SIGUSR2');
    let hidden: HostProcess | undefined;
    while (hidden?.parentPid === undefined || hidden.parentPid === agent!.pid) {
      const all = await listProcesses();
      const named = all.filter((it) => it.arguments.includes(`hidden-${agent!.pid}`));
      hidden = named.find((it) => it.arguments.includes('setTimeout(() => 0, 300_000)'));
    }
    const target = sessionOf(agent!);
    await order(target);
    await settled();
    const wasFound = !runs(hidden);
    signalIfSame(hidden, 'SIGKILL');
    expect(wasFound).toBe(isMarked);
    expect(runs(stranger!)).toBe(true);
  });

  test('that ignores TERM is killed after a grace', async () => {
    const [agent] = await started.start(stubborn);
    await order(sessionOf(agent!));
    await settled();
    expect(outcome()).toMatchObject({ is: 'confirmed', ended: 1 });
    expect(runs(agent!)).toBe(false);
  });

  test('whose pid is another process by now costs that process nothing', async () => {
    const [stranger] = await started.start(polite);
    await order({ ...sessionOf(stranger!), startMark: 'an earlier one' });
    await settled();
    expect(outcome()).toMatchObject({ is: 'confirmed', ended: 0 });
    expect(runs(stranger!)).toBe(true);
  });

  test('is not this server, whatever was registered', async () => {
    const own = (await started.start(polite))[0]!;
    const { identityOf } = await import('#platform/processes.js');
    await order(sessionOf({ ...own, ...identityOf(process.pid)! }));
    await settled();
    expect(outcome()).toMatchObject({ is: 'failed', survivors: [{ pid: process.pid }] });
  });

  test('on another host is said to be out of reach', async () => {
    const [agent] = await started.start(polite);
    await order(sessionOf(agent!, 'elsewhere'));
    await settled();
    expect(outcome()).toMatchObject({ is: 'failed', survivors: [] });
    expect(runs(agent!)).toBe(true);
  });
});

describe('An attempt', () => {
  const attempt = runningWork('a');

  test('is ended by its worker, and confirmed when that has seen nothing left', async () => {
    work.begin(attempt);
    await order(attemptTarget(attempt));
    await until(() => work.said.length > 0);
    expect(work.halts).toMatchObject([{ target: { taskId: 'task-a' }, how: 'kill', holder: null }]);
    expect(outcome()).toEqual({ is: 'open' });
    work.end({ attemptId: 'attempt-a', ended: 4, survivors: [] });
    await settled();
    expect(outcome()).toMatchObject({ is: 'confirmed', ended: 4 });
  });

  test('of which something is left is an alarm that names it', async () => {
    work.begin(attempt);
    await order(attemptTarget(attempt));
    await until(() => work.said.length > 0);
    work.end({ attemptId: 'attempt-a', ended: 1, survivors: [{ pid: 9, name: 'sh' }] });
    await settled();
    expect(outcome()).toMatchObject({ is: 'failed', survivors: [{ pid: 9, name: 'sh' }] });
  });

  test('whose worker fell silent is an alarm, too: nobody has looked', async () => {
    work.begin(attempt);
    await order(attemptTarget(attempt));
    await until(() => work.said.length > 0);
    work.end({ attemptId: 'attempt-a', ended: 0, survivors: null });
    await settled();
    expect(outcome()).toMatchObject({ is: 'failed', survivors: [] });
  });

  test('that had ended by itself is confirmed', async () => {
    await order(attemptTarget(attempt));
    await settled();
    expect(outcome()).toMatchObject({ is: 'confirmed', ended: 0 });
  });

  test('ended for a budget is held by that budget', async () => {
    work.begin(attempt);
    const targets = [attemptTarget(attempt)];
    await killSwitch.order({ targets, reason: 'Spent.', budgetId: 'day', actor: 'test' });
    await until(() => work.said.length > 0);
    expect(work.halts).toMatchObject([{ holder: 'budget:day' }]);
    work.end({ attemptId: 'attempt-a', ended: 1, survivors: [] });
    await settled();
  });
});

async function orderedBefore(target: KillTarget): Promise<KillSwitch> {
  const data = { killId: 'kill-1', target, reason: 'Spent.', budgetId: 'day' };
  const metadata = { actor: 'test', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' };
  const event = { id: '0199a9c1-7b1d-7c3a-9f00-5f1c2d3e4a5b', type: 'KillOrdered', data, metadata };
  await log.append(KILLS_STREAM, 0, [event]);
  const later = makeSwitch();
  await later.start();
  await until(() => later.known.get('kill-1')?.outcome.is !== 'open');
  return later;
}

describe('What was ordered before the server was killed', () => {
  test('is carried out when it comes back', async () => {
    const [agent] = await started.start(polite);
    const later = await orderedBefore(sessionOf(agent!));
    const outcome = { is: 'confirmed', ended: 1, durationMs: null };
    expect(later.known.get('kill-1')?.outcome).toEqual(outcome);
    expect(runs(agent!)).toBe(false);
    await later.stop();
  });

  test('and has happened since is told as it happened', async () => {
    const attempt = runningWork('a');
    work.ended.push({ attemptId: 'attempt-a', ended: 1, survivors: [{ pid: 9, name: 'sh' }] });
    const later = await orderedBefore(attemptTarget(attempt));
    expect(later.known.get('kill-1')?.outcome).toMatchObject({
      ...{ is: 'failed', survivors: [{ pid: 9, name: 'sh' }] },
    });
    await later.stop();
  });
});
