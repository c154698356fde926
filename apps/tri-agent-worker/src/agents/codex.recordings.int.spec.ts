import { recorded, run } from '../../test/runs.js';
import { codex } from './codex.translate.js';

/** What the real Codex CLI 0.169.0 printed, against what it came to. */

function tokens(input: number, output: number, cacheRead: number, reasoning: number): object {
  return { input, output, cacheRead, cacheCreation: 0, reasoning };
}

const answer = 'Mock answer: all good. (turn over)';
const toolAnswer = 'The tool printed hello-from-tool and I wrote made-by-tool.txt.';

describe('A recorded run of Codex CLI', () => {
  test.each([
    ['plain', answer, 'run', tokens(11_950 - 9_472, 96, 9_472, 64)],
    ['tool', toolAnswer, 'run', tokens(24_139 - 19_200, 283, 19_200, 128)],
    // Of the whole thread: the first run is among them.
    ['resumed', answer, 'session', tokens(24_045 - 19_072, 192, 19_072, 128)],
  ])('%s comes to what it said', (name, result, covers, used) => {
    const lines = recorded('codex', name);
    const { outcome, news } = run(codex, lines, {}, name === 'resumed');
    const { thread_id: sessionId } = JSON.parse(lines[0]!) as { thread_id: string };
    expect(outcome).toEqual({
      is: 'completed',
      ...{ result, sessionId, tokens: used, costNanoUsd: null, covers },
    });
    expect(news[0]).toEqual({ is: 'session', sessionId });
  });

  const refused =
    'exceeded retry limit, last status: 429 Too Many Requests, request id: req_mock429';
  test.each([
    ['given-up-429', refused, true, 429],
    ['no-quota', 'Quota exceeded. Check your plan and billing details.', true, 429],
    ['usage-limit', 'You’ve hit your usage limit.', true, 429],
    ['at-capacity', 'Selected model is at capacity. Please try a different model.', true, 503],
    ['high-demand', 'We’re currently experiencing high demand', true, 500],
    ['wrong-key', 'unexpected status 401 Unauthorized: Incorrect API key', true, 401],
    ['bad-request', 'Invalid model.', false, 400],
    ['not-found', 'unexpected status 404 Not Found: nope', false, 404],
    ['context-full', "Codex ran out of room in the model's context window.", false, undefined],
  ])('%s failed as it said', (name, error, retryable, statusCode) => {
    const { outcome } = run(codex, recorded('codex', name), { exitCode: 1 });
    expect({ statusCode: undefined, ...outcome }).toMatchObject({
      is: 'failed',
      error: expect.stringContaining(`Codex CLI gave up: ${error}`) as string,
      retryable,
      statusCode,
    });
  });

  test('tells what people want to see', () => {
    expect(run(codex, recorded('codex', 'tool')).news.slice(1)).toEqual([
      {
        is: 'progress',
        what: "shell: /bin/bash -lc 'echo hello-from-tool && ls -la && echo data > made-by-tool.txt'",
      },
      { is: 'text', text: toolAnswer },
    ]);
  });

  test('tells every retry that it makes', () => {
    const retries = (name: string) =>
      run(codex, recorded('codex', name)).news.filter((one) => one.is === 'retry');
    expect(retries('given-up-429')).toEqual([{ is: 'retry', statusCode: 429, retryAfterMs: null }]);
    expect(retries('high-demand')).toHaveLength(5);
  });
});
