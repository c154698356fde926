import { endTrees, treeIn, treeOf, type Enclosure } from './process-trees.js';
import { listProcesses, signalIfSame, type HostProcess } from './processes.js';
import { polite, runs, StartedProcesses, stubborn } from './started-processes.spec-helper.js';

const started = new StartedProcesses();
afterEach(() => {
  started.end();
});

/** Its child makes a session of its own and outlives it. */
const leavesOneBehind = `
  const child = begin("console.log('up');", { detached: true });
  told(child).then(() => pids(child.pid));`;
/** Its grandchild has neither its environment nor, once the child has ended, a parent in the tree. */
const hidesOne = `
  const script = \`
    const { spawn } = require('node:child_process');
    const hidden = spawn(process.execPath, ['-e', 'setTimeout(() => 0, 300_000)'],
      { env: {}, stdio: 'ignore' });
    console.log(hidden.pid);
    hidden.unref();
    process.exit();\`;
  const child = begin(script);
  let hidden;
  child.stdout.on('data', (text) => (hidden = Number(text)));
  child.once('exit', () => pids(hidden));`;

const pidsOf = (tree: readonly HostProcess[]) => tree.map(({ pid }) => pid);
const ofAttempt = (id: string) => ({ TRI_AGENT_ATTEMPT_ID: `${id}-${process.pid}` });

describe('The tree of a process', () => {
  test('holds its descendants, parents first, and no others', async () => {
    const [stranger] = await started.start(polite);
    const [parent, child] = await started.start(leavesOneBehind);
    expect(pidsOf(await treeOf(parent!.pid))).toEqual([parent!.pid, child!.pid]);
    expect(pidsOf(await treeOf(child!.pid))).toEqual([child!.pid]);
    expect(pidsOf(await treeOf(stranger!.pid))).toEqual([stranger!.pid]);
  });

  test('holds what is of the same attempt when its parent has ended and its session is its own', async () => {
    const env = ofAttempt('left');
    const [root] = await started.start(polite, env);
    const [parent, orphan] = await started.start(leavesOneBehind, env);
    await endTrees({ processes: [parent!] }, { spares: ({ pid }) => pid === orphan!.pid });
    expect(runs(parent!)).toBe(false);
    const now = (await listProcesses()).find(({ pid }) => pid === orphan!.pid);
    expect(now).toMatchObject({ sessionId: orphan!.pid, attemptId: env.TRI_AGENT_ATTEMPT_ID });
    expect(now?.parentPid).not.toBe(parent!.pid);
    expect(pidsOf(await treeOf(root!.pid))).toEqual([root!.pid, orphan!.pid]);
  });

  test('holds what has dropped its environment and its parent, but not its session', async () => {
    const [root, hidden] = await started.start(hidesOne, ofAttempt('hides'), { detached: true });
    expect(hidden).toMatchObject({ sessionId: root!.pid });
    expect(hidden!.attemptId).toBeUndefined();
    expect(hidden!.parentPid).not.toBe(root!.pid);
    expect(pidsOf(await treeOf(root!.pid))).toEqual([root!.pid, hidden!.pid]);
  });

  test('of nothing is empty', async () => {
    const [one] = await started.start(polite);
    await endTrees({ processes: [one!] });
    expect(await treeOf(one!.pid)).toEqual([]);
  });

  test('leaves out what is spared, with all that is below it', () => {
    const made = (pid: number, parentPid: number): HostProcess => ({
      ...{ pid, parentPid, groupId: 1, sessionId: 1, startMark: `${pid}`, executable: null },
      ...{ startedAt: new Date(pid), arguments: [] },
    });
    const all = [made(5, 1), made(1, 0), made(6, 5), made(7, 6), made(8, 5), made(9, 1)];
    const roots = { processes: [made(5, 1)] };
    expect(pidsOf(treeIn(all, roots))).toEqual([5, 6, 7, 8]);
    expect(pidsOf(treeIn(all, roots, ({ pid }) => pid === 6))).toEqual([5, 8]);
    // A pid that is another's now leads to nobody, and the first process not to everybody.
    expect(treeIn(all, { processes: [{ pid: 5, startMark: 'earlier' }] })).toEqual([]);
    expect(pidsOf(treeIn(all, { processes: [made(1, 0)] }))).toEqual([1]);
  });
});

describe('Ending a tree', () => {
  test('asks first, and kills what does not heed it; a stranger stays', async () => {
    const env = ofAttempt('end');
    const [stranger] = await started.start(polite, ofAttempt('other'));
    const [kind] = await started.start(polite, env);
    const [deaf] = await started.start(stubborn, env);
    const ended = await endTrees(
      { processes: [kind!], attemptIds: [kind!.attemptId!] },
      { graceMs: 200 },
    );
    expect(ended.map(({ process, ending }) => [process.pid, ending])).toEqual([
      [kind!.pid, 'ended'],
      [deaf!.pid, 'killed'],
    ]);
    expect([kind!, deaf!, stranger!].map(runs)).toEqual([false, false, true]);
  });

  test('gives the agent its grace: who ends in time is not killed', async () => {
    const slow = "process.on('SIGTERM', () => setTimeout(() => process.exit(), 300)); pids();";
    const [one] = await started.start(slow);
    const [ended] = await endTrees({ processes: [one!] });
    expect(ended?.ending).toBe('ended');
  });

  test('reaches what is started because of it', async () => {
    const lastWord = `
      process.on('SIGTERM', () => {
        begin("process.on('SIGTERM', () => undefined);", { detached: true }).unref();
        process.exit();
      });
      pids();`;
    const env = ofAttempt('hydra');
    const [one] = await started.start(lastWord, env);
    await endTrees({ processes: [one!], attemptIds: [env.TRI_AGENT_ATTEMPT_ID] }, { graceMs: 500 });
    const left = (await listProcesses()).filter(
      ({ attemptId }) => attemptId === env.TRI_AGENT_ATTEMPT_ID,
    );
    expect(left).toEqual([]);
  });

  test('leaves a process alone that has the pid of one that has ended', async () => {
    const [one] = await started.start(polite);
    expect(await endTrees({ processes: [{ pid: one!.pid, startMark: 'earlier' }] })).toEqual([]);
    expect(runs(one!)).toBe(true);
  });

  test('never ends the one that does it, nor those above it', async () => {
    const list = await listProcesses();
    const own = list.find(({ pid }) => pid === process.pid)!;
    const spares = ({ pid }: HostProcess) => pid !== process.pid;
    expect(await endTrees({ processes: [own] }, { spares })).toEqual([
      { process: own, ending: 'protected' },
    ]);
  });

  describe('that is in an enclosure', () => {
    /** Everything in it is named by its pid; killed is told. */
    const enclosureOf = (
      inside: readonly HostProcess[],
      keeper?: HostProcess,
    ): Enclosure & { killedWith: number[][] } => {
      const killedWith: number[][] = [];
      return {
        killedWith,
        pids: () => inside.map(({ pid }) => pid),
        isKeeper: ({ pid }) => pid === keeper?.pid,
        kill: () => {
          killedWith.push(inside.filter(runs).map(({ pid }) => pid));
          if (keeper !== undefined) signalIfSame(keeper, 'SIGKILL');
        },
        isEmpty: () => !inside.some(runs),
      };
    };

    test('reaches what no tree leads to', async () => {
      const [one] = await started.start(polite);
      const [hidden] = await started.start(polite);
      const enclosure = enclosureOf([hidden!]);
      const ended = await endTrees({ processes: [one!] }, { enclosure });
      expect(ended.map(({ ending }) => ending)).toEqual(['ended', 'ended']);
      expect([one!, hidden!].map(runs)).toEqual([false, false]);
      expect(enclosure.killedWith).toEqual([]);
    });

    test('kills what holds it up when the others have ended, and tells of these only', async () => {
      const [one] = await started.start(polite);
      const [keeper] = await started.start(stubborn);
      const enclosure = enclosureOf([one!, keeper!], keeper);
      const ended = await endTrees({ processes: [one!] }, { enclosure });
      expect(ended).toEqual([{ process: one, ending: 'ended' }]);
      expect(enclosure.killedWith).toEqual([[keeper!.pid]]);
      expect(runs(keeper!)).toBe(false);
    });

    test('asks what is started meanwhile to end, too, before anything is killed', async () => {
      const [one] = await started.start(polite);
      const [late] = await started.start(polite);
      // It is there from the second look on.
      const looks = [[one!.pid]];
      const enclosure = {
        ...enclosureOf([one!, late!]),
        pids: () => looks.shift() ?? [late!.pid],
      };
      const ended = await endTrees({ processes: [one!] }, { enclosure });
      expect(ended.map(({ process, ending }) => [process.pid, ending])).toEqual([
        [one!.pid, 'ended'],
        [late!.pid, 'ended'],
      ]);
      expect(enclosure.killedWith).toEqual([]);
    });
  });

  test('stops where it is when that is wanted', async () => {
    const [deaf] = await started.start(stubborn);
    const stop = new AbortController();
    const ending = endTrees({ processes: [deaf!] }, { signal: stop.signal });
    stop.abort();
    expect((await ending).map((it) => it.ending)).toEqual(['remains']);
    expect(runs(deaf!)).toBe(true);
  });
});
