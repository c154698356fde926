import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as textFrom } from 'node:stream/consumers';
import type { AgentRunner, News, Outcome } from '../src/agents/agent.js';
import { runners } from '../src/agents/runners.js';
import { installFakeAgents, type FakePrograms } from './fake-agents.js';
import { promptOf, type Script } from './fake-script.js';
import { started } from './runs.js';

/** The fake agents speak as the real ones do: the runners understand them, from start to end. */

let folder: string;
let programs: FakePrograms;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tri-agent-fake-'));
  programs = installFakeAgents(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Seen {
  readonly news: readonly News[];
  readonly outcome: Outcome;
}

/** @param meanwhile called once the agent's session is known. */
async function run(
  runner: AgentRunner,
  script: Script | string,
  meanwhile: (child: ChildProcess) => void = () => undefined,
): Promise<Seen> {
  const prompt = typeof script === 'string' ? script : promptOf(script);
  const { args, env, stdin } = started(runner, { prompt });
  const program = programs[runner.program.variable as keyof FakePrograms];
  const child = spawn(program, args, { env, cwd: folder });
  child.stdin.end(stdin);
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const complaints = textFrom(child.stderr);
  const reader = runner.reader(false);
  const news: News[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const heard = reader.line(line.slice(0, 1_000_000), line.length > 1_000_000);
    news.push(...heard);
    if (heard.some((one) => one.is === 'session')) meanwhile(child);
  }
  const [exitCode, signal] = await ended;
  return { news, outcome: reader.end({ exitCode, signal, stderrTail: await complaints }) };
}

describe.each(runners)('The fake $title', (runner) => {
  const isGemini = runner.id === 'gemini';

  test('succeeds, and says what it does', async () => {
    const { news, outcome } = await run(runner, [
      { do: 'tool', command: 'npm test' },
      { do: 'say', text: 'All is well.' },
      { do: 'succeed', text: 'Done it.' },
    ]);
    expect(outcome).toMatchObject({
      is: 'completed',
      result: expect.stringContaining('Done it.') as string,
      tokens: { input: 8, output: 5, cacheRead: 4, cacheCreation: 0 },
      costNanoUsd: runner.id === 'claude-code' ? 1_000_000 : null,
    });
    expect(news).toContainEqual({
      is: 'progress',
      what: expect.stringMatching(/^\w+: npm test$/) as string,
    });
    expect(JSON.stringify(news)).toContain('All is well.');
  });

  test('succeeds with any prompt that is no script', async () => {
    expect((await run(runner, 'Do some work.')).outcome).toMatchObject({ result: 'Done.' });
  });

  test('fails', async () => {
    expect((await run(runner, [{ do: 'fail', text: 'No way' }])).outcome).toMatchObject({
      is: 'failed',
      error: expect.stringMatching(/gave up: .*No way/) as string,
      retryable: true,
    });
  });

  test('is refused by its provider, tries again, and succeeds', async () => {
    const { news, outcome } = await run(runner, [
      { do: 'retry', statusCode: 429, waitMs: 1 },
      { do: 'succeed', text: 'Through.' },
    ]);
    expect(outcome).toMatchObject({ is: 'completed', result: 'Through.' });
    const retries = news.filter((one) => one.is === 'retry');
    expect(retries.map(({ statusCode }) => statusCode)).toEqual(isGemini ? [] : [429]);
  });

  test.each([429, 529])('is refused by its provider with %i and gives up', async (statusCode) => {
    const { outcome } = await run(runner, [{ do: 'give-up', statusCode }]);
    expect(outcome).toMatchObject({ is: 'failed', retryable: true, statusCode });
  });

  test('ends without a result', async () => {
    const { outcome } = await run(runner, [
      { do: 'complain', text: 'out of luck' },
      { do: 'exit', code: 0 },
    ]);
    expect(outcome).toMatchObject({
      is: 'failed',
      error: expect.stringMatching(/ended with exit code 0 .*: out of luck\.$/) as string,
    });
  });

  test('prints what is no JSON, and a line of 10 MB', async () => {
    const { news, outcome } = await run(runner, [
      { do: 'print', text: '\u001b[31mgarbage' },
      { do: 'print-line-of', characters: 10_000_000 },
      { do: 'succeed', text: 'Still here.' },
    ]);
    expect(outcome).toMatchObject({ is: 'completed', result: 'Still here.' });
    expect(JSON.stringify(news)).toContain('garbage');
    expect(JSON.stringify(news)).toContain('(a line that is too long) xxx');
  });

  test('hangs until it is told to stop', async () => {
    const { outcome } = await run(runner, [{ do: 'hang' }], (child) => child.kill('SIGTERM'));
    expect(outcome).toMatchObject({
      is: 'failed',
      error: expect.stringContaining(`ended with exit code ${isGemini ? 0 : 143}`) as string,
    });
  });

  test('can ignore that, and is killed', async () => {
    const script: Script = [
      { do: 'ignore-term' },
      { do: 'print', text: 'deaf now' },
      { do: 'hang' },
    ];
    const { args, env, stdin } = started(runner, { prompt: promptOf(script) });
    const program = programs[runner.program.variable as keyof FakePrograms];
    const child = spawn(program, args, { env, cwd: folder });
    child.stdin.end(stdin);
    const exit = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'deaf now') break;
    }
    child.kill('SIGTERM');
    for await (const line of createInterface({ input: child.stderr })) {
      if (line === 'SIGTERM is ignored.') break;
    }
    child.kill('SIGKILL');
    expect(await exit).toEqual([null, 'SIGKILL']);
  });

  test('leaves a process behind', async () => {
    const file = join(folder, `${runner.id}.pid`);
    let survivor = 0;
    const { outcome } = await run(
      runner,
      [
        { do: 'spawn', file },
        { do: 'succeed', text: 'Gone.' },
      ],
      (child) => {
        // It holds on to the standard output, which so only ends with it.
        child.once('exit', () => {
          survivor = Number(readFileSync(file, 'utf8'));
          process.kill(survivor, 'SIGKILL');
        });
      },
    );
    expect(outcome).toMatchObject({ is: 'completed', result: 'Gone.' });
    expect(survivor).toBeGreaterThan(0);
  });

  test('makes files, tells how it was started, and goes another way the next time', async () => {
    const [made, how] = [join(folder, `${runner.id}.txt`), join(folder, `${runner.id}.json`)];
    const steps: Script = [{ do: 'fail', text: 'Not yet' }];
    const script: Script = [
      { do: 'write', file: made, text: 'made' },
      { do: 'write-how-started', file: how },
      { do: 'once', file: join(folder, `${runner.id}.once`), steps },
    ];
    expect((await run(runner, script)).outcome).toMatchObject({ is: 'failed' });
    expect((await run(runner, [...script, { do: 'succeed', text: 'Now.' }])).outcome).toMatchObject(
      { is: 'completed', result: 'Now.' },
    );
    expect(readFileSync(made, 'utf8')).toBe('made');
    expect(JSON.parse(readFileSync(how, 'utf8'))).toMatchObject({
      args: started(runner).args,
      env: { TRI_AGENT_TASK_ID: 'task-1', TRI_AGENT_ATTEMPT_ID: 'attempt-1' },
      cwd: folder,
    });
  });
});
