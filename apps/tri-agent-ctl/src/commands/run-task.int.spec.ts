import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aTask, anAttempt, taskId } from '../../test/dispatch-samples.js';
import { aSession } from '../../test/samples.js';
import { StubServer } from '../../test/stub-server.js';
import { run } from '../../test/terminal.js';

const session = aSession();
const { sessionId } = session;
const sessionPath = `/api/v1/sessions/${sessionId}`;
const rebuilding = { status: 503, code: 'READ_MODEL_BUILDING', detail: 'It is being rebuilt.' };

let server: StubServer;
let home: string;

beforeEach(async () => {
  server = await StubServer.start();
  home = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
  const ended = { state: 'completed', agent: 'codex', sessionId, attemptList: [anAttempt()] };
  server.postAnswers['/api/v1/tasks'] = { taskId, created: true };
  server.answers[`/api/v1/tasks/${taskId}`] = aTask(ended);
  server.answers[`/api/v1/tasks/${taskId}/output`] = { hasEnded: true, items: [], next: 0 };
  server.answers[`/api/v1/tasks/${taskId}/result`] = {
    ...{ taskId, state: 'completed', result: 'Done.' },
  };
});
afterEach(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

const runJson = (now: () => Date) =>
  run(server.env(home), ['run', 'Do it.', '--json'], { cwd: home, now });
const told = { taskId, state: 'completed', agent: 'codex', sessionId, result: 'Done.' };

describe('run --json', () => {
  test('tells what the session has used, and nothing else', async () => {
    server.sessions = [session];
    const { exit, out } = await runJson(() => new Date(0));
    const { tokens, costUsd } = session;
    expect({ exit, ...(JSON.parse(out) as object) }).toEqual({ exit: 0, ...told, tokens, costUsd });
  });

  test('asks again while the server cannot tell', async () => {
    server.sessions = [session];
    server.refusals[sessionPath] = rebuilding;
    let asked = 0;
    const { exit, out } = await runJson(() => {
      asked += 1;
      if (asked > 2) Reflect.deleteProperty(server.refusals, sessionPath);
      return new Date(0);
    });
    const { tokens, costUsd } = session;
    expect({ exit, ...(JSON.parse(out) as object) }).toEqual({ exit: 0, ...told, tokens, costUsd });
  });

  test('says that it does not know when the server cannot tell for long', async () => {
    server.refusals[sessionPath] = rebuilding;
    let nowMs = 0;
    const { exit, out, err } = await runJson(() => new Date((nowMs += 6_000)));
    const unknown = { tokens: null, costUsd: null };
    expect({ exit, ...(JSON.parse(out) as object) }).toEqual({ exit: 0, ...told, ...unknown });
    expect(err).toContain('What it has used cannot be told now');
  });

  test('tells of no use where the agent has told of none', async () => {
    const { exit, out } = await runJson(() => new Date(0));
    const unknown = { tokens: null, costUsd: null };
    expect({ exit, ...(JSON.parse(out) as object) }).toEqual({ exit: 0, ...told, ...unknown });
  });
});
