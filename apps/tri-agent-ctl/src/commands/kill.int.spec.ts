import { harmful, hostile } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed(({ server }) => {
  server.postAnswers[path] = ordered();
  server.answers[path] = [kill(confirmed)];
});

const path = '/api/v1/kills';
const target = {
  ...{ kind: 'attempt', taskId: 'task-1', attemptId: 'attempt-1', workerId: 'worker-1' },
  ...{ agent: null, sessionId: null, host: null, pid: null },
};
const aimed = (given: Record<string, unknown> = {}) => ({
  ...{ killId: 'kill-1', target, processes: [{ pid: 4711, name: 'claude', startedAt: '' }] },
  ...given,
});
const ordered = (given: Record<string, unknown> = {}) => ({
  ...{ dryRun: false, claimsPaused: false, items: [aimed()], ...given },
});
const kill = (outcome: Record<string, unknown>) => ({
  ...{ killId: 'kill-1', target, reason: 'Enough.', budgetId: null, outcome },
});
const confirmed = { is: 'confirmed', ended: 4, durationMs: 212 };
const failed = {
  ...{ is: 'failed', reason: 'Some of its processes did not end.' },
  survivors: [{ pid: 4712, name: hostile }],
};

describe('kill', () => {
  test.each([
    [['task', 'task-1'], { kind: 'task', taskId: 'task-1' }],
    [['session', 's-1'], { kind: 'session', sessionId: 's-1' }],
    [['worker', 'w-1'], { kind: 'worker', workerId: 'w-1' }],
    [['all'], { kind: 'all' }],
  ])('%j is ordered as such, with the reason', async (words, aim) => {
    const argv = ['kill', ...words, '--yes', '--reason', 'Enough.'];
    const { exit } = await run(stub.env, argv);
    expect(exit).toBe(0);
    expect(stub.server.posted).toEqual([{ aim, reason: 'Enough.', dryRun: false }]);
  });

  test('says when it was seen that all has ended, and how the task goes on', async () => {
    const { exit, out, err } = await run(stub.env, ['kill', 'task', 'task-1', '--yes']);
    expect(exit).toBe(0);
    expect(out).toContain('task task-1 on worker worker-1: ended after 212 ms, 4 processes');
    expect(err).toContain('tasks resume');
  });

  test('says what is left, harmless to read, and fails', async () => {
    stub.server.answers[path] = [kill(failed)];
    const { exit, out } = await run(stub.env, ['kill', 'task', 'task-1', '--yes']);
    expect(exit).toBe(1);
    expect(out).toContain('NOT ENDED. Some of its processes did not end. Left: 4712');
    expect(out).not.toMatch(harmful);
  });

  test('waits until it is known', async () => {
    stub.server.answers[path] = [kill({ is: 'open' })];
    const running = run(stub.env, ['kill', 'task', 'task-1', '--yes']);
    const asked = () => stub.server.requests.filter((it) => it.startsWith(`GET ${path}`)).length;
    while (asked() < 2) await new Promise((resolve) => setImmediate(resolve));
    stub.server.answers[path] = [kill(confirmed)];
    expect((await running).exit).toBe(0);
  });

  test('shows what would be ended, and signals nothing, with --dry-run', async () => {
    stub.server.postAnswers[path] = ordered({ dryRun: true });
    const { exit, out } = await run(stub.env, ['kill', 'task', 'task-1', '--dry-run']);
    expect(exit).toBe(0);
    expect(out).toContain('task task-1 on worker worker-1\n  4711 claude\nNothing was signalled.');
    expect(stub.server.posted).toMatchObject([{ dryRun: true }]);
  });

  test('asks before, and does nothing without a yes', async () => {
    const ask = (question: string) => Promise.resolve(question.includes('1 agent') ? 'n' : 'y');
    const { exit, out } = await run(stub.env, ['kill', 'task', 'task-1'], { ask });
    expect(exit).toBe(0);
    expect(out).toContain('Nothing was ended.');
    expect(stub.server.posted).toMatchObject([{ dryRun: true }]);
    await run(stub.env, ['kill', 'task', 'task-1'], { ask: () => Promise.resolve('yes') });
    expect(stub.server.posted).toMatchObject([{}, { dryRun: true }, { dryRun: false }]);
  });

  test('where nobody can be asked, wants --yes or --dry-run', async () => {
    const { exit, err } = await run(stub.env, ['kill', 'all', '--json']);
    expect(exit).toBe(2);
    expect(err).toContain('--dry-run');
    expect(stub.server.posted).toEqual([]);
  });

  test('all says that the queue is shut', async () => {
    stub.server.postAnswers[path] = ordered({ claimsPaused: true });
    const { err } = await run(stub.env, ['kill', 'all', '--yes']);
    expect(err).toContain('queue resume');
  });

  test('of nothing that runs says so', async () => {
    const detail = 'No attempt of this task runs at this moment.';
    stub.server.refusals[path] = { status: 404, code: 'NOTHING_TO_KILL', detail };
    const { exit, err } = await run(stub.env, ['kill', 'task', 'task-1', '--yes']);
    expect(exit).toBe(1);
    expect(err).toContain(detail);
  });

  test('prints one JSON document with the outcome', async () => {
    const { out } = await run(stub.env, ['kill', 'task', 'task-1', '--yes', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      items: [{ killId: 'kill-1' }],
      kills: [kill(confirmed)],
    });
  });
});

test('kill list shows what was ended of late, and what was not', async () => {
  stub.server.answers[path] = [kill(failed), { ...kill(confirmed), killId: 'kill-0' }];
  const { exit, out } = await run(stub.env, ['kill', 'list']);
  expect(exit).toBe(0);
  expect(out).toContain('NOT ENDED');
  expect(out).toContain('ended after 212 ms');
  expect(out).not.toMatch(harmful);
  stub.server.answers[path] = [];
  expect((await run(stub.env, ['kill', 'list'])).out).toContain('Nothing was killed of late.');
});
