import { recorded, run } from '../../test/runs.js';
import { gemini } from './gemini.translate.js';

/** What the real Gemini CLI 0.61.0 printed, against what it came to. */

const answer = 'Mock Gemini answer: all good.';
const toolAnswer = 'The tool printed hello-from-tool.';

describe('A recorded run of Gemini CLI', () => {
  // Thoughts are only in its totals.
  test.each([
    ['plain', answer, { input: 7_796, output: 7_862 - 7_796, reasoning: 48 }],
    ['tool', toolAnswer, { input: 23_647, output: 23_799 - 23_647, reasoning: 103 }],
    ['retried-429', answer, { input: 11_754, output: 11_820 - 11_754, reasoning: 48 }],
    // Of its own process, not of the session.
    ['resumed', answer, { input: 7_825, output: 7_891 - 7_825, reasoning: 48 }],
    ['denied', toolAnswer, { input: 15_719, output: 15_871 - 15_719, reasoning: 103 }],
  ])('%s comes to what it said', (name, result, used) => {
    const lines = recorded('gemini', name);
    const { outcome, news } = run(gemini, lines, {}, name === 'resumed');
    const { session_id: sessionId } = JSON.parse(lines[0]!) as { session_id: string };
    const tokens = { ...used, cacheRead: 0, cacheCreation: 0 };
    expect(outcome).toEqual({
      is: 'completed',
      ...{ result, sessionId, tokens, costNanoUsd: null, covers: 'run' },
    });
    expect(news[0]).toEqual({ is: 'session', sessionId });
  });

  const quota = '[API Error: You exceeded your current quota, please check your plan';
  test.each([
    ['given-up-429', 173, '', quota, { retryable: true, statusCode: 429, retryAfterMs: 2_100 }],
    [
      'too-long',
      144,
      '',
      '[API Error: {"error":{"code":400,"message":"The input token count exceeds',
      { retryable: false, statusCode: 400 },
    ],
    [
      'wrong-key',
      145,
      '',
      '[API Error: {"error":{"code":401',
      { retryable: true, statusCode: 401 },
    ],
    [
      'not-found',
      1,
      '    at async main (file:///gemini.js:17627:5) {\n  code: 404\n}\n',
      '[API Error: model not found]',
      { retryable: false, statusCode: 404 },
    ],
  ])('%s failed as it said', (name, exitCode, stderrTail, error, more) => {
    const { outcome } = run(gemini, recorded('gemini', name), { exitCode, stderrTail });
    expect(outcome).toMatchObject({
      is: 'failed',
      error: expect.stringContaining(`Gemini CLI gave up: ${error}`) as string,
      ...more,
    });
  });

  test('tells what people want to see', () => {
    expect(run(gemini, recorded('gemini', 'denied')).news.slice(1)).toEqual([
      {
        is: 'progress',
        what: 'run_shell_command: echo hello-from-tool && ls -la && echo data > made-by-tool.txt',
      },
      {
        is: 'progress',
        what: 'a tool failed: Tool "run_shell_command" not found. Did you mean one of: "update_topic", "grep_search", "invoke_agent"?',
      },
      { is: 'text', text: toolAnswer },
    ]);
  });
});
