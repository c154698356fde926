import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { harmful, hostile, taskId } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed(({ server }) => {
  server.answers['/api/v1/tasks'] = { taskId, created: true };
});

const submit = (...argv: string[]) =>
  run(stub.env, ['tasks', 'submit', ...argv], { cwd: stub.home });
const piped = (...pieces: Uint8Array[]) => ({
  // eslint-disable-next-line @typescript-eslint/require-await
  async *stdin() {
    yield* pieces;
  },
});

describe('tasks submit', () => {
  test('queues a prompt, and says how to see what it waits for', async () => {
    const { exit, out, err } = await submit('Add', 'paging.');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toBe(
      `Task ${taskId} was submitted.\nSee what it waits for: tri-agent-ctl tasks why ${taskId}\n`,
    );
    expect(stub.server.requests).toEqual(['POST /api/v1/tasks']);
    expect(stub.server.posted).toEqual([{ prompt: 'Add paging.' }]);
  });

  test('says all that was asked for under the names of the API, money as it was typed', async () => {
    const options = {
      ...{ agent: 'claude', model: 'opus', shard: 'review', lane: 'critical', size: 'large' },
      ...{ repository: 'https://git.example/a.git', ref: 'main', team: 'web', project: 'shop' },
      ...{ budget: '1.50', timeout: '90m', retries: '0', 'permission-mode': 'plan' },
      ...{ 'idempotency-key': 'nightly-7', 'max-cost': '2.50' },
    };
    const argv = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const lists = ['--depends-on', 'a', '--depends-on', 'b', '--tag', 'x', '--tag', 'y'];
    lists.push('--allow-tool', 'Edit', '--allow-tool', 'Bash(git status)');
    expect((await submit('p', ...argv, ...lists)).exit).toBe(0);
    expect(stub.server.posted).toEqual([
      {
        ...{ prompt: 'p', agent: 'claude-code', model: 'opus', shard: 'review', lane: 'critical' },
        ...{ size: 'large', repository: 'https://git.example/a.git', ref: 'main', team: 'web' },
        ...{ project: 'shop', budgetUsd: '1.50', timeoutMs: 5_400_000, retries: 0 },
        ...{ permissionMode: 'plan', idempotencyKey: 'nightly-7' },
        ...{ dependsOn: ['a', 'b'], tags: ['x', 'y'], maxCostUsd: '2.50' },
        allowedTools: ['Edit', 'Bash(git status)'],
      },
    ]);
  });

  test('tells a task that there was already from a new one', async () => {
    stub.server.answers['/api/v1/tasks'] = { taskId, created: false };
    const { exit, out } = await submit('p', '--idempotency-key', 'k');
    expect(exit).toBe(0);
    expect(out).toContain(`Task ${taskId} had been submitted already, under that key.\n`);
    const { out: json } = await submit('p', '--idempotency-key', 'k', '--json');
    expect(JSON.parse(json)).toEqual({ taskId, created: false });
  });

  test('takes the prompt of a file just as it is, but for a byte order mark', async () => {
    await writeFile(join(stub.home, 'p.md'), '\ufeff# Title\r\n\n  ünïcode 🦀\n');
    expect((await submit('--prompt-file', 'p.md')).exit).toBe(0);
    expect(stub.server.posted).toEqual([{ prompt: '# Title\r\n\n  ünïcode 🦀\n' }]);
  });

  test('takes what is piped in, however its bytes are cut', async () => {
    const bytes = Buffer.from('ünï 🦀');
    const stdin = piped(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
    await run(stub.env, ['tasks', 'submit', '--prompt-file', '-'], stdin);
    expect(stub.server.posted).toEqual([{ prompt: 'ünï 🦀' }]);
  });

  test('sends a prompt of 262144 characters and refuses one more, naming the limit', async () => {
    await writeFile(join(stub.home, 'most'), '€'.repeat(262_144));
    await writeFile(join(stub.home, 'more'), 'a'.repeat(262_145));
    expect((await submit('--prompt-file', 'most')).exit).toBe(0);
    const { exit, err } = await submit('--prompt-file', 'more');
    expect(exit).toBe(1);
    expect(err).toMatch(/more has 262145 characters, and 262144 are the limit\./);
    expect(err).toContain('(limits.promptCharactersMax)');
    expect(stub.server.posted).toHaveLength(1);
  });

  test('reads no more than a prompt may have, whatever the file is', async () => {
    const endless = await submit('--prompt-file', '/dev/zero');
    expect(endless.err).toMatch(/cannot be read: it has more than 786435 bytes/);
    expect(stub.server.posted).toEqual([]);
  });

  test.each<[string, string[], RegExp]>([
    ['no such file', ['--prompt-file', 'nowhere'], /nowhere cannot be read: ENOENT/],
    ['a folder', ['--prompt-file', '.'], /cannot be read: EISDIR/],
    ['bytes that are no text', ['--prompt-file', 'bytes'], /not valid for encoding utf-8/],
    ['an empty file', ['--prompt-file', 'empty'], /empty is empty\./],
    ['an empty prompt', ['  '], /The prompt is empty\./],
  ])('fails for %s', async (_, argv, reason) => {
    await writeFile(join(stub.home, 'bytes'), Buffer.from([0x66, 0xff, 0xfe]));
    await writeFile(join(stub.home, 'empty'), ' \n');
    const { exit, out, err } = await submit(...argv);
    expect({ exit, out }).toEqual({ exit: 1, out: '' });
    expect(err).toMatch(reason);
    expect(stub.server.posted).toEqual([]);
  });

  test.each<[string[], RegExp]>([
    [[], /A prompt is missing/],
    [['p', '--prompt-file', 'x'], /There are two prompts/],
    [['p', '--lane', 'urgent'], /Allowed choices are critical, normal, background/],
    [['p', '--shard', 'test'], /Allowed choices are impl, review, architect/],
    [['p', '--size', 'huge'], /Allowed choices are small, medium, large/],
    [['p', '--agent', 'cursor'], /Allowed choices are claude, claude-code, codex, gemini, any/],
    [['p', '--timeout', '30'], /such as 90s, 30m or 2h, and 24h at most/],
    [['p', '--timeout', '25h'], /such as 90s, 30m or 2h/],
    [['p', '--timeout', '0s'], /such as 90s, 30m or 2h/],
    [['p', '--timeout', '-5m'], /such as 90s, 30m or 2h/],
    [['p', '--timeout', '1d'], /such as 90s, 30m or 2h/],
    [['p', '--budget', '1,50'], /US dollars such as 3.75/],
    [['p', '--budget', '$1'], /US dollars such as 3.75/],
    [['p', '--budget=-1'], /US dollars such as 3.75/],
    [['p', '--budget', '0.0000000001'], /nine digits/],
    [['p', '--retries', '10'], /whole number from 0 to 9/],
    [['p', '--retries', 'many'], /whole number from 0 to 9/],
    [['p', '--model', ''], /1 to 200 characters/],
    [['p', '--directory', 'a'.repeat(501)], /1 to 500 characters/],
    [['p', '--directory', '/a', '--repository', 'b'], /cannot be used with/],
    [['p', '--ref', 'main'], /A ref is of a repository/],
    [['p', ...Array<string[]>(21).fill(['--tag', 'x']).flat()], /20 times at most/],
    [['p', '--prompts', '.'], /--prompts goes with --file/],
    [['p', '--colour', 'red'], /unknown option/i],
  ])('%j is not understood', async (argv, said) => {
    const { exit, out, err } = await submit(...argv);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(said);
    expect(stub.server.requests).toEqual([]);
  });

  test('says that it may have arrived when the connection breaks off, and nothing such when it was refused', async () => {
    const broken = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } });
    const breaking = { fetch: () => Promise.reject(broken) };
    const { exit, err } = await run(stub.env, ['tasks', 'submit', 'p'], breaking);
    expect(exit).toBe(1);
    expect(err).toContain('It may have been taken all the same');
    stub.server.refusals['/api/v1/tasks'] = {
      status: 503,
      code: 'QUEUE_FULL',
      detail: 'It is full.',
    };
    const refused = await submit('p');
    expect(refused.err).toContain('It is full.');
    expect(refused.err).not.toContain('may have been taken');
    await stub.server.stop();
    const gone = await submit('p');
    expect(gone.err).toContain('No server answers');
    expect(gone.err).not.toContain('may have been taken');
  });

  test('sends a prompt as it is, and prints nothing of what a server makes of it as more than text', async () => {
    stub.server.answers['/api/v1/tasks'] = { taskId: hostile, created: true };
    const told = await submit(hostile);
    expect(stub.server.posted).toEqual([{ prompt: hostile }]);
    stub.server.refusals['/api/v1/tasks'] = { status: 400, code: 'BAD_REQUEST', detail: hostile };
    const refused = await submit('p');
    for (const { out, err } of [told, refused, await submit('p', '--lane', hostile)]) {
      expect(out + err).not.toMatch(harmful);
    }
  });
});
