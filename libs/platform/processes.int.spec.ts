import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { identityOf, isOwnProcess, listProcesses, sameProcess, signalIfSame } from './processes.js';
import { polite, runs, StartedProcesses, until } from './started-processes.spec-helper.js';

const started = new StartedProcesses();
afterEach(() => {
  started.end();
});

describe('The list of processes', () => {
  test('tells of each who it is, when it started, what it runs and of which attempt', async () => {
    const beforeMs = Date.now();
    const env = { TRI_AGENT_ATTEMPT_ID: 'attempt-1', TRI_AGENT_TASK_ID: 'task-1' };
    const [one] = await started.start(polite, env, { detached: true });
    expect(one).toMatchObject({
      parentPid: process.pid,
      ...{ groupId: one!.pid, sessionId: one!.pid },
      ...{ executable: process.execPath, attemptId: 'attempt-1', taskId: 'task-1' },
    });
    expect(one!.arguments.slice(0, 2)).toEqual([process.execPath, '-e']);
    // The kernel counts in hundredths, and this process learns of its own start a little late.
    const agoMs = one!.startedAt.getTime() - beforeMs;
    expect(Math.abs(agoMs)).toBeLessThan(60_000);
  });

  test('tells of no attempt where there is none', async () => {
    const [one] = await started.start(polite, { XTRI_AGENT_ATTEMPT_ID: 'no' });
    expect([one!.attemptId, one!.taskId]).toEqual([undefined, undefined]);
  });

  test('finds the attempt behind an environment of a megabyte', async () => {
    const env: Record<string, string> = {};
    for (let each = 0; each < 10; each += 1) env[`A${each}`] = 'x'.repeat(100_000);
    const [one] = await started.start(polite, { ...env, TRI_AGENT_ATTEMPT_ID: 'behind' });
    expect(one!.attemptId).toBe('behind');
  });

  test('is not led astray by the name that a program gives itself', async () => {
    const [one] = await started.start("process.title = 'x) Z 1 1 (y'; pids();");
    expect(one).toMatchObject({ parentPid: process.pid, arguments: ['x) Z 1 1 (y'] });
  });

  test('comes about while processes start and end', async () => {
    const [one] = await started.start(polite);
    const children = Array.from({ length: 30 }, () => spawn(process.execPath, ['--version']));
    const ends = Promise.all(children.map((child) => once(child, 'exit')));
    for (let round = 0; round < 10; round += 1) {
      expect((await listProcesses()).map(({ pid }) => pid)).toContain(one!.pid);
    }
    await ends;
    const pids = new Set((await listProcesses()).map(({ pid }) => pid));
    expect(children.filter(({ pid }) => pids.has(pid!))).toEqual([]);
  });
});

describe('A signal', () => {
  test('reaches the process that was meant', async () => {
    const [one] = await started.start(polite);
    expect(signalIfSame(one!, 'SIGTERM')).toBe('sent');
    await until(() => !runs(one!));
    expect(signalIfSame(one!, 'SIGTERM')).toBe('gone');
  });

  test('does not reach another one that has its pid now', async () => {
    const [one] = await started.start(polite);
    const earlier = { pid: one!.pid, startMark: `${one!.startMark}0` };
    expect(sameProcess(earlier)).toBe(false);
    expect(signalIfSame(earlier, 'SIGKILL')).toBe('gone');
    expect(sameProcess(one!)).toBe(true);
  });

  test('reaches neither this process, nor one above it, nor the first, nor a group', async () => {
    const list = await listProcesses();
    const known = list.filter(({ pid }) => [1, process.pid, process.ppid].includes(pid));
    expect(known.length).toBeGreaterThan(1);
    const groups = [0, -1, -process.pid, NaN].map((pid) => ({ pid, startMark: '' }));
    for (const one of [...known, ...groups]) {
      // Harmless, were it sent.
      expect(signalIfSame(one, 'SIGURG')).toBe('protected');
    }
  });
});

describe('A process that somebody names', () => {
  test('is our own while it runs, and only with the start that it had', async () => {
    const [one] = await started.start(polite);
    expect(isOwnProcess(one!)).toBe(true);
    expect(isOwnProcess({ ...one!, startMark: 'another' })).toBe(false);
    signalIfSame(one!, 'SIGKILL');
    await until(() => !runs(one!));
    expect(isOwnProcess(one!)).toBe(false);
  });

  test('is not our own when it is this one, one above it, or the first of the host', () => {
    const named = [process.pid, process.ppid, 1].map((pid) => identityOf(pid)!);
    expect(named.map(isOwnProcess)).toEqual([false, false, false]);
  });
});
