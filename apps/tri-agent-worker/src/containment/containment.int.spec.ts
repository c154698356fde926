import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attemptVariables, listProcesses, sameProcess, signalIfSame } from '#platform/processes.js';
import { containmentsHere } from '../../test/containments-here.js';
import {
  installHostileAgent,
  marked,
  newMark,
  startHostileTree,
  startStrangers,
  type HostileTree,
} from '../../test/hostile-tree.js';
import { AgentProcess } from '../agent-process.js';
import { endAgent } from '../end-agent.js';
import { RunningFiles } from '../running-files.js';
import { containmentText, enclosureOf, findContainment, type Containment } from './containment.js';
import { MarkedEnclosure } from './marked-enclosure.js';

const here = await containmentsHere();

let folder: string;
let hostile: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tri-agent-contained-'));
  hostile = installHostileAgent(folder);
});
const marks: string[] = [];
afterEach(async () => {
  for (const mark of marks.splice(0)) {
    for (const it of await marked(mark)) signalIfSame(it, 'SIGKILL');
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
async function startShell(containment: Containment, script: string): Promise<AgentProcess> {
  count += 1;
  const attemptId = `attempt-${process.pid}-${count}`;
  const env = { PATH: process.env['PATH'] ?? '', [attemptVariables.attemptId]: attemptId };
  const enclosure = await containment.enclose({ attemptId, taskId: 'task', directory: folder });
  const invocation = { is: 'run', args: ['-c', script], env, stdin: 'told\n' } as const;
  return AgentProcess.start('/bin/sh', invocation, folder, enclosure);
}

async function linesOf(agent: AgentProcess): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of agent.lines()) lines.push(text);
  return lines;
}

async function startTree(
  containment: Containment,
  manners: 'heeds' | 'ignores',
): Promise<HostileTree> {
  const tree = await startHostileTree(hostile, folder, containment, manners);
  marks.push(tree.mark);
  return tree;
}

/** Nothing of it is in sight: no group, no process that holds it up. */
async function isRemoved(attemptId: string, enclosure: HostileTree['enclosure']): Promise<boolean> {
  const { record } = enclosure;
  if (record.is === 'cgroup' && existsSync(record.folder)) return false;
  return (await listProcesses()).every((it) => it.attemptId !== attemptId);
}

describe.each(here)('An agent that is contained by $kind', (containment) => {
  test.each([[143], [130], [0], [7]])('is told to have ended with code %i', async (code) => {
    const agent = await startShell(containment, `exit ${code}`);
    expect(await agent.ended()).toMatchObject({ exitCode: code, signal: null });
    await agent.end();
  });

  test.each(['SIGTERM', 'SIGKILL', 'SIGSEGV'])('is told to have ended by %s', async (signal) => {
    const agent = await startShell(containment, `kill -${signal.slice(3)} $$`);
    expect(await agent.ended()).toMatchObject({ exitCode: null, signal });
    await agent.end();
  });

  test('reads, prints, complains, works in its folder and leads a session of its own', async () => {
    const script = 'cat; pwd; ps -o pid=,pgid=,sid= -p $$; echo "Oh no." >&2';
    const agent = await startShell(containment, script);
    const [told, pwd, ids = ''] = await linesOf(agent);
    expect([told, pwd]).toEqual(['told', folder]);
    const [pid, groupId, sessionId] = ids.trim().split(/ +/);
    expect([groupId, sessionId]).toEqual([pid, pid]);
    expect(await agent.ended()).toMatchObject({ exitCode: 0, stderrTail: 'Oh no.\n' });
    await agent.end();
  });

  test('can make namespaces of its own, where the host lets others do so', async () => {
    const nested = 'unshare --user --map-root-user --pid --fork --mount-proc true';
    const { status } = spawnSync('/bin/sh', ['-c', nested]);
    const agent = await startShell(containment, nested);
    expect(await agent.ended()).toMatchObject({ exitCode: status });
    await agent.end();
  });

  test('cannot be started where its program is missing, and leaves nothing behind', async () => {
    const attemptId = `missing-${process.pid}`;
    const enclosure = await containment.enclose({ attemptId, taskId: 'task', directory: folder });
    const invocation = { is: 'run', args: [], env: {}, stdin: '' } as const;
    const program = join(folder, 'none');
    await expect(AgentProcess.start(program, invocation, folder, enclosure)).rejects.toThrow(
      'ENOENT',
    );
    expect(await isRemoved(attemptId, enclosure)).toBe(true);
  });

  test('takes what it left running with it when it ends by itself', async () => {
    const mark = newMark();
    marks.push(mark);
    const hide = `(env -i setsid sleep ${mark} >/dev/null 2>&1 &)`;
    const agent = await startShell(containment, `${hide}; (setsid sleep ${mark} &); exit 3`);
    expect(await agent.ended()).toMatchObject({ exitCode: 3 });
    expect(await agent.end()).toMatchObject({ survivors: [], isVerified: true });
    expect(await marked(mark)).toEqual([]);
  });

  test.each(['heeds', 'heeds', 'heeds', 'ignores'] as const)(
    'leaves nothing of a hostile tree that %s TERM, and no stranger is hurt',
    async (manners) => {
      const { agent, attemptId, mark, enclosure } = await startTree(containment, manners);
      marks.push(newMark());
      const strangers = startStrangers(hostile, attemptId, marks.at(-1)!);
      const { processes, survivors, isVerified } = await agent.end();
      expect(await marked(mark)).toEqual([]);
      expect({ survivors, isVerified }).toEqual({ survivors: [], isVerified: true });
      expect(processes.length).toBeGreaterThanOrEqual(10);
      const endings = new Set(processes.map(({ ending }) => ending));
      expect(endings.has('killed')).toBe(manners === 'ignores');
      expect(strangers.map(sameProcess)).toEqual([true, true]);
      expect(await isRemoved(attemptId, enclosure)).toBe(true);
    },
  );

  test('ends with all that it hid, though only a file tells of it', async () => {
    const { agent, attemptId, mark, enclosure } = await startTree(containment, 'heeds');
    const files = new RunningFiles(join(folder, 'running', containment.kind));
    files.put({
      ...{ attemptId, taskId: 'task', fencingToken: 1, enclosure: enclosure.record },
      ...(agent.identity !== undefined && { identity: agent.identity }),
    });
    const [left] = files.left();
    const found = enclosureOf(left!.enclosure, left!.identity?.pid);
    const end = await endAgent({ attemptId, identity: left!.identity, enclosure: found });
    expect(end).toMatchObject({ survivors: [], isVerified: true });
    expect(await marked(mark)).toEqual([]);
    expect(await isRemoved(attemptId, enclosure)).toBe(true);
    await agent.end();
  });

  test('is not mistaken for who has its pid by now', async () => {
    const { agent, mark } = await startTree(containment, 'heeds');
    const enclosure = await containment.enclose({ attemptId: 'gone', taskId: 't', directory: '/' });
    const identity = { pid: agent.identity!.pid, startMark: 'earlier' };
    const { processes } = await endAgent({ attemptId: 'gone', identity, enclosure });
    expect(processes).toEqual([]);
    expect(sameProcess(agent.identity!)).toBe(true);
    expect((await marked(mark)).length).toBeGreaterThanOrEqual(10);
    await agent.end();
  });
});

describe('Containment', () => {
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });

  test('that is wanted but not to be had is refused, with the reason', async () => {
    process.env['PATH'] = folder;
    await expect(findContainment('pid-namespace')).rejects.toThrow(
      /^TRI_AGENT_CONTAINMENT asks for .*pid-namespace: .*ENOENT/,
    );
  });

  test('is the best that there is; where nothing is, agents are run all the same', async () => {
    expect((await findContainment('auto')).kind).toBe(here[0]?.kind);
    process.env['PATH'] = folder;
    const found = await findContainment('none');
    expect(containmentText(found)).toBe('containment: none');
    const agent = await startShell(found, 'exit 3');
    expect(await agent.ended()).toMatchObject({ exitCode: 3 });
    await agent.end();
  });

  test('without even a mark ends what has kept its parent, session or environment', async () => {
    const bare = { enclose: () => Promise.resolve(new MarkedEnclosure(null)) };
    const { agent, mark } = await startHostileTree(hostile, folder, bare, 'heeds');
    marks.push(mark);
    const { processes } = await agent.end();
    expect(processes.length).toBeGreaterThanOrEqual(7);
    const left = await marked(mark);
    expect(left.filter((it) => it.attemptId !== undefined)).toEqual([]);
  });
});
