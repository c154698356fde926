import { recorded, run } from '../../test/runs.js';
import { claude } from './claude.translate.js';

/** What the real Claude Code 2.1.329 printed, against what it came to. */

function tokens(input: number, output: number, cacheRead: number, cacheCreation: number): object {
  return { input, output, cacheRead, cacheCreation, reasoning: null };
}

describe('A recorded run of Claude Code', () => {
  test.each([
    ['plain', 'Hello from the mock. The answer is 42.', 16_656_000, tokens(12, 28, 14_000, 3200)],
    ['tools', 'Done: the file is written.', 37_258_500, tokens(28, 421, 80_240, 1810)],
    ['long-tools', 'Slow work done.', 20_190_000, tokens(30, 156, 46_700, 1000)],
    ['climb', 'The climb is over.', 789_975_000, tokens(12_500, 3360, 609_000, 138_500)],
    ['retried-429', 'Through after two 429s.', 9_255_000, tokens(20, 33, 14_000, 1200)],
    ['retried-529', 'Through after a 529.', 9_255_000, tokens(20, 33, 14_000, 1200)],
    ['denied', 'Done: the file is written.', 37_258_500, tokens(28, 421, 80_240, 1810)],
    // It says $0.0539355 and $0.1073925, for the session so far; the runs before came to the difference.
    ['resumed', 'Read the notes and committed them.', 16_677_000, tokens(14, 175, 34_200, 1000)],
    ['subagent', 'The subagent is done.', 36_801_000, tokens(42, 158, 60_600, 4300)],
    // A prompt that is a command of its own takes no turn and yet is no refusal.
    ['compact-command', '', 82_350_000, tokens(1200, 800, 185_000, 3000)],
  ])('%s comes to what it said', (name, result, costNanoUsd, used) => {
    const lines = recorded('claude', name);
    const { outcome, news } = run(claude, lines, {}, /resumed|subagent|command/.test(name));
    const { session_id: sessionId } = JSON.parse(lines.at(-1)!) as { session_id: string };
    expect(outcome).toEqual({
      is: 'completed',
      ...{ result, sessionId, costNanoUsd, tokens: used, covers: 'run' },
    });
    expect(news.filter((one) => one.is === 'session')).toEqual([{ is: 'session', sessionId }]);
  });

  test.each([
    [
      'given-up-429',
      'Claude Code gave up: API Error: Request rejected (429) · This request would exceed your rate limit (mock).',
      { retryable: true, statusCode: 429 },
    ],
    ['too-long', 'Claude Code gave up: Prompt is too long', { retryable: false, statusCode: 400 }],
    [
      'max-turns',
      'Claude Code gave up: Reached maximum number of turns (1).',
      { retryable: false },
    ],
    ['max-budget', 'Claude Code gave up: Reached maximum budget ($0.01).', { retryable: false }],
    [
      'unknown-session',
      'Claude Code gave up: No conversation found with session ID: 22222222-2222-4222-8222-222222222222.',
      { retryable: false },
    ],
  ])('%s failed as it said', (name, error, more) => {
    const { outcome } = run(claude, recorded('claude', name), { exitCode: 1 });
    expect(outcome).toMatchObject({ is: 'failed', ...more });
    expect(outcome).toMatchObject({ error: expect.stringContaining(error) as string });
  });

  test('of which a hook refused the prompt is a failure, though it ends with 0 and no error', () => {
    expect(run(claude, recorded('claude', 'refused-prompt')).outcome).toMatchObject({
      is: 'failed',
      error: 'Claude Code was not let take up the prompt: not-today.',
      retryable: false,
    });
  });

  test('tells what people want to see', () => {
    const { news } = run(claude, recorded('claude', 'tools'));
    expect(news.slice(1).filter((one) => one.is !== 'usage')).toEqual([
      { is: 'text', text: 'I will run a command.' },
      { is: 'progress', what: 'Bash: echo hello-from-tool && date +%s' },
      { is: 'text', text: 'Now write a file.' },
      { is: 'progress', what: 'Write: /home/dev/b-tools/notes.txt' },
      { is: 'progress', what: 'Edit: /home/dev/b-tools/notes.txt' },
      { is: 'progress', what: 'Bash: exit 3' },
      { is: 'progress', what: 'a tool failed: Exit code 3' },
      { is: 'text', text: 'Done: the file is written.' },
    ]);
  });

  // What is put out is not told live: it comes to what characters make of it.
  test.each([
    ['plain', [12, 14_000, 3_200]],
    ['tools', [28, 80_240, 1_810]],
    ['long-tools', [30, 46_700, 1_000]],
    ['climb', [12_500, 609_000, 138_500]],
    ['resumed', [14, 34_200, 1_000]],
    ['subagent', [42, 60_600, 4_300]],
  ])('%s tells its input and caches live, each request once', (name, told) => {
    const { news } = run(claude, recorded('claude', name), {}, /resumed|subagent/.test(name));
    const usages = news.flatMap((one) => (one.is === 'usage' ? [one.usage] : []));
    const sum = (kind: 'inputTokens' | 'cacheReadTokens' | 'cacheCreationTokens') =>
      usages.reduce((all, usage) => all + usage[kind], 0);
    expect([sum('inputTokens'), sum('cacheReadTokens'), sum('cacheCreationTokens')]).toEqual(told);
    expect(usages.every(({ outputTokens }) => outputTokens > 0)).toBe(true);
  });

  test('tells what it was not allowed', () => {
    expect(run(claude, recorded('claude', 'denied')).news).toContainEqual({
      is: 'progress',
      what: 'not allowed: Write: /home/dev/repo/notes.txt',
    });
  });

  test('tells every retry that it makes', () => {
    const retries = run(claude, recorded('claude', 'given-up-429')).news.filter(
      (one) => one.is === 'retry',
    );
    expect(retries).toEqual([
      { is: 'retry', statusCode: 429, retryAfterMs: 1184 },
      { is: 'retry', statusCode: 429, retryAfterMs: 1207 },
      { is: 'retry', statusCode: 429, retryAfterMs: 2480 },
    ]);
  });

  test('tells that its context was compacted', () => {
    expect(run(claude, recorded('claude', 'compact-command')).news).toContainEqual({
      is: 'progress',
      what: 'compacted its context from 12960 to 2695 tokens',
    });
  });
});
