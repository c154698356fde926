import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attemptVariables, type HostProcess } from '#platform/processes.js';
import {
  polite,
  runs,
  StartedProcesses,
  stubborn,
} from '#platform/started-processes.spec-helper.js';
import { stubbed } from '../test/stubbed.spec-helper.js';
import { run } from '../test/terminal.js';
import type { Io } from './io.js';

const HOUR_MS = 60 * 60_000;
const started = new StartedProcesses();
const stub = stubbed(() => {
  serverRuns();
});

afterEach(() => {
  started.end();
});

function serverRuns(...attemptIds: string[]): void {
  const attempts = attemptIds.map((attemptId) => ({ attemptId, taskId: `task-of-${attemptId}` }));
  stub.server.answers['/api/v1/workers'] = {
    items: [{ workerId: 'w', attempts }],
    nextCursor: null,
  };
}
function serverKnows(attemptId: string, endedAt: string | null): void {
  const attemptList = [{ attemptId, endedAt }];
  stub.server.answers[`/api/v1/tasks/task-of-${attemptId}`] = { attemptList };
}
const ended = (attemptId: string) => {
  serverKnows(attemptId, '2026-11-20T12:00:00.000Z');
};

async function startFor(attemptId: string, script = polite): Promise<HostProcess> {
  const names = {
    [attemptVariables.attemptId]: attemptId,
    [attemptVariables.taskId]: `task-of-${attemptId}`,
  };
  return (await started.start(script, names))[0]!;
}
/** An agent as a person starts it. */
async function startAgent(): Promise<HostProcess> {
  const script = join(stub.home, 'node_modules/@openai/codex/bin/codex.js');
  await mkdir(dirname(script), { recursive: true });
  await writeFile(script, 'console.log(`[${process.pid}]`); setTimeout(() => 0, 300_000);');
  return (await started.start('', {}, { argv: [script, 'exec', 'a \u001b[2J prompt'] }))[0]!;
}

interface Item {
  readonly pid: number;
  readonly why: string;
  readonly done: string;
}
interface Document {
  readonly items: readonly Item[];
  readonly running: object;
  readonly problem: { readonly code: string } | null;
}
/** A host on which nothing runs but what the test has started. */
async function reap(words: readonly string[], laterMs = 0, more: Partial<Io> = {}) {
  const outcome = await run(stub.env, ['reap', ...words], {
    now: () => new Date(Date.now() + laterMs),
    listProcesses: () => started.mine(),
    ...more,
  });
  const document = (): Document => JSON.parse(outcome.out) as Document;
  const done = () => document().items.map((it) => [it.pid, it.why, it.done]);
  return { ...outcome, document, done };
}

describe('reap ends', () => {
  test('what is left of an attempt that has ended, and leaves one that runs', async () => {
    const left = await startFor('a-1');
    const deaf = await startFor('a-1', stubborn);
    const busy = await startFor('a-2');
    ended('a-1');
    serverRuns('a-2');
    const { exit, done, document } = await reap(['--yes', '--json']);
    expect(done()).toEqual([
      [left.pid, 'attempt-ended', 'ended'],
      [deaf.pid, 'attempt-ended', 'killed'],
    ]);
    expect(document()).toMatchObject({ running: { attempts: 1, processes: 1 }, problem: null });
    expect([exit, runs(left), runs(deaf), runs(busy)]).toEqual([0, false, false, true]);
  });

  test('an attempt that runs for longer than a day, though the server says that it runs', async () => {
    const old = await startFor('old');
    serverRuns('old');
    expect((await reap(['--yes', '--json'], 24 * HOUR_MS - 60_000)).done()).toEqual([]);
    expect(runs(old)).toBe(true);
    const { done } = await reap(['--yes', '--json'], 24 * HOUR_MS + 1_000);
    expect(done()).toEqual([[old.pid, 'attempt-too-old', 'ended']]);
  });

  test('after it was asked and answered with yes', async () => {
    const left = await startFor('a-1');
    ended('a-1');
    const questions: string[] = [];
    const answering = (answer: string) => ({
      ask: (question: string) => {
        questions.push(question);
        return Promise.resolve(answer);
      },
    });
    const no = await reap([], 0, answering(''));
    expect([no.exit, runs(left)]).toEqual([0, true]);
    expect(no.out).toContain('Nothing was ended.');
    const yes = await reap([], 0, answering('y'));
    expect([yes.exit, runs(left)]).toEqual([0, false]);
    expect(yes.out).toMatch(/would be ended\n[^]* ended\n1 process ended\.\n$/);
    expect(questions).toEqual(Array(2).fill('End 1 process? [y/N] '));
    // There is nothing to ask about any more.
    await reap([], 0, answering('y'));
    expect(questions).toHaveLength(2);
  });
});

describe('reap leaves alone', () => {
  test('all of it in a dry run, which says what would be done', async () => {
    const left = await startFor('a-1', stubborn);
    ended('a-1');
    const { exit, out } = await reap(['--dry-run']);
    expect([exit, runs(left)]).toEqual([0, true]);
    expect(out).toMatch(
      new RegExp(`${left.pid} .* task-of-a-1 +a-1 +its attempt has ended +would be ended\n`),
    );
    expect(out).toContain('1 process would be ended; nothing was signalled.');
    const { done } = await reap(['--dry-run', '--json', '--yes']);
    expect(done()).toEqual([[left.pid, 'attempt-ended', 'would-be-ended']]);
    expect(runs(left)).toBe(true);
  });

  test('attempts of which the server does not say that they have ended', async () => {
    const elsewhere = await startFor('of-another-server');
    const late = await startFor('tables-lag');
    serverKnows('tables-lag', null);
    const { exit, done } = await reap(['--yes', '--json'], 48 * HOUR_MS);
    expect(done()).toEqual([
      [elsewhere.pid, 'attempt-unknown', 'left'],
      [late.pid, 'attempt-unknown', 'left'],
    ]);
    expect([exit, runs(elsewhere), runs(late)]).toEqual([0, true, true]);
  });

  test('attempts that the server cannot be asked about, and says so', async () => {
    const left = await startFor('a-1');
    stub.server.acceptedToken = 'another';
    const refused = await reap(['--yes'], 48 * HOUR_MS);
    expect([refused.exit, runs(left)]).toEqual([1, true]);
    expect(refused.out).toContain('the server could not be asked');
    expect(refused.err).toContain('nothing is ended');
    stub.env['TRI_AGENT_URL'] = 'http://127.0.0.1:9';
    const { exit, done, document } = await reap(['--yes', '--json'], 48 * HOUR_MS);
    expect(done()).toEqual([[left.pid, 'server-not-asked', 'left']]);
    expect(document().problem?.code).toBe('server_unreachable');
    expect([exit, runs(left)]).toEqual([1, true]);
  });

  test('the running attempt of a worker that was started in one that has ended', async () => {
    const outer = `
      const child = begin("console.log('up');", { env: {
        TRI_AGENT_ATTEMPT_ID: 'inner', TRI_AGENT_TASK_ID: 'task-of-inner' } });
      told(child).then(() => pids(child.pid));`;
    const names = { TRI_AGENT_ATTEMPT_ID: 'outer', TRI_AGENT_TASK_ID: 'task-of-outer' };
    const [above, below] = await started.start(outer, names);
    ended('outer');
    serverRuns('inner');
    expect((await reap(['--yes', '--json'])).done()).toEqual([
      [above!.pid, 'attempt-ended', 'ended'],
    ]);
    expect([runs(above!), runs(below!)]).toEqual([false, true]);
  });

  test('the tree that it runs in itself', async () => {
    const own = { pid: process.pid, startMark: 'whatever', parentPid: 1, groupId: 0, sessionId: 0 };
    const more = { executable: null, arguments: ['claude'], startedAt: new Date(0) };
    const listProcesses = () =>
      Promise.resolve([{ ...own, ...more, attemptId: 'a-1', taskId: 'task-of-a-1' }]);
    ended('a-1');
    const { done } = await reap(['--yes', '--json', '--all-agents'], 0, { listProcesses });
    expect(done()).toEqual([[process.pid, 'attempt-ended', 'runs-this']]);
  });
});

describe('Agents that people started', () => {
  test('are left out while they are young, reported when they are old, and not ended', async () => {
    const agent = await startAgent();
    expect((await reap(['--yes', '--json'])).done()).toEqual([]);
    const { exit, out, err } = await reap(['--yes'], 25 * HOUR_MS);
    expect([exit, runs(agent)]).toEqual([0, true]);
    expect(out).toMatch(/ node codex\.js exec a +prompt +old, and of no attempt +left alone\n/);
    expect(out).not.toContain('\u001b');
    expect(err).toContain('--all-agents');
    const { done } = await reap(['--yes', '--json', '--older-than', '2h'], 3 * HOUR_MS);
    expect(done()).toEqual([[agent.pid, 'agent-too-old', 'left']]);
    // No attempt, no question to the stub.server.
    expect(stub.server.requests).toEqual([]);
  });

  test('are ended with --all-agents', async () => {
    const agent = await startAgent();
    const other = await started.start(polite);
    const { exit, done } = await reap(['--yes', '--json', '--all-agents'], 25 * HOUR_MS);
    expect(done()).toEqual([[agent.pid, 'agent-too-old', 'ended']]);
    expect([exit, runs(agent), runs(other[0]!)]).toEqual([0, false, true]);
  });
});

describe('reap is refused', () => {
  test.each([[[]], [['--json']], [['--all-agents']]])(
    'where nobody can be asked: %j',
    async (words) => {
      const left = await startFor('a-1');
      ended('a-1');
      const { exit, err } = await reap(words);
      expect([exit, runs(left)]).toEqual([2, true]);
      expect(err).toContain('--dry-run');
    },
  );

  test.each([[['--older-than', 'long']], [['--older-than', '-1h']], [['everything']]])(
    'when its words are off: %j',
    async (words) => {
      expect((await reap([...words, '--yes'])).exit).toBe(2);
    },
  );

  test('where the host does not tell its processes', async () => {
    const listProcesses = () => Promise.reject(new Error('No ps here.'));
    const { exit, err } = await reap(['--yes'], 0, { listProcesses });
    expect(exit).toBe(1);
    expect(err).toContain('No ps here.');
  });
});
