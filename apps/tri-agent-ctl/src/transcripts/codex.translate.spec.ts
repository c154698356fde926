import { readLines, sumOf, totalsIn, usageIn } from '../../test/transcript-facts.js';
import { codex } from './codex.translate.js';

const thread = '01a1f9ec-e12e-7670-af59-0cf8db2f897b';
const path = `/sessions/rollout-2026-11-20T17-06-53-${thread}.jsonl`;

let seconds = 0;
beforeEach(() => {
  seconds = 0;
});

function line(type: string, payload: object, timestamp = nextTime()): object {
  return { timestamp, type, payload };
}

function nextTime(): string {
  seconds += 1;
  return `2026-11-20T10:00:${String(seconds).padStart(2, '0')}.000Z`;
}

const meta = (more: object = {}) =>
  line('session_meta', { id: thread, cwd: '/home/dev/shop', cli_version: '0.169.0', ...more });
const turn = (model: string) => line('turn_context', { model, cwd: '/home/dev/other' });

function used(input: number, output: number, cached = 0, written = 0) {
  return {
    input_tokens: input,
    cached_input_tokens: cached,
    cache_write_input_tokens: written,
    output_tokens: output,
    reasoning_output_tokens: 1,
    total_tokens: input + output,
  };
}

function record(id: string, usage: object, all: object = usage, of = thread): object {
  return line('token_usage_record', {
    thread_id: of,
    response_id: id,
    usage,
    turn_token_usage: used(999_999, 999_999),
    thread_token_usage: all,
  });
}

function count(last: object | null, total: object | null, at?: string): object {
  const info = last && { last_token_usage: last, total_token_usage: total };
  return line('event_msg', { type: 'token_count', info }, at);
}

function told(...lines: object[]) {
  return readLines(codex, lines, path);
}

describe('A record of a model call', () => {
  test('counts cached tokens, read and written, apart from input, and reasoning in output', () => {
    const facts = told(meta(), turn('gpt-5.6-sol'), record('resp_1', used(100, 20, 60, 10)));
    expect(usageIn(facts)).toEqual([
      expect.objectContaining({
        key: 'resp_1',
        sessionId: thread,
        model: 'gpt-5.6-sol',
        project: 'other',
        inputTokens: 30,
        outputTokens: 20,
        cacheReadTokens: 60,
        cacheCreationTokens: 10,
        reasoningTokens: 1,
        tier: null,
      }),
    ]);
  });

  test('is not told again by the count that follows it', () => {
    const use = used(100, 20);
    expect(usageIn(told(meta(), record('resp_1', use), count(use, use)))).toHaveLength(1);
  });

  test('has the model of the last turn, also in a run that resumed the thread', () => {
    const facts = told(
      meta(),
      turn('a'),
      record('1', used(1, 1)),
      turn('b'),
      record('2', used(1, 1)),
    );
    expect(usageIn(facts).map(({ model }) => model)).toEqual(['a', 'b']);
  });

  test('of another thread, which a fork copied, stays that of its thread', () => {
    const fork = meta({ id: 'forked', forked_from_id: thread });
    const facts = told(
      fork,
      meta(),
      record('1', used(5, 1)),
      record('2', used(7, 1), {}, 'forked'),
    );
    expect(usageIn(facts).map(({ key, sessionId }) => [key, sessionId])).toEqual([
      ['1', thread],
      ['2', 'forked'],
    ]);
  });

  test.each([
    ['more cached than asked', record('1', used(10, 1, 11))],
    ['no tokens', line('token_usage_record', { response_id: '1' })],
    ['no id', line('token_usage_record', { usage: used(1, 1) })],
    ['no time', line('token_usage_record', { response_id: '1', usage: used(1, 1) }, 'soon')],
  ])('with %s is bad', (_what, bad) => {
    expect(told(meta(), bad)).toMatchObject({ faults: [expect.stringMatching(/^2: /)] });
  });
});

describe('The counts of older versions', () => {
  test('count each call once, though a count is repeated', () => {
    const [first, both] = [used(10, 1), used(30, 3)];
    const second = used(20, 2);
    const lines = [count(null, null), count(first, first), count(first, first)];
    const facts = told(meta(), ...lines, count(second, both), count(second, both));
    expect(usageIn(facts).map((fact) => sumOf([fact]))).toEqual([
      [10, 1, 0, 0],
      [20, 2, 0, 0],
    ]);
    expect(totalsIn(facts)).toEqual([]);
  });

  test('keep two equal calls apart', () => {
    const use = used(10, 1);
    expect(usageIn(told(meta(), count(use, use), count(use, used(20, 2))))).toHaveLength(2);
  });

  test('that a fork copied are the same requests', () => {
    const at = '2026-11-20T09:00:00.000Z';
    const own = told(meta(), count(used(10, 1), used(10, 1), at));
    const copied = told(meta({ id: 'forked' }), count(used(10, 1), used(10, 1), at));
    expect(usageIn(copied)[0]?.key).toBe(usageIn(own)[0]?.key);
  });

  test('count up to the first record of a newer version that went on with the file', () => {
    const [old, now] = [used(10, 1), used(20, 2)];
    const facts = told(meta(), count(old, old), record('1', now), count(now, used(30, 3)));
    expect(sumOf(usageIn(facts))).toEqual([30, 3, 0, 0]);
  });
});

test('What the whole thread has used is stated as its last record has it', () => {
  const facts = told(meta(), record('1', used(10, 1)), record('2', used(20, 2), used(30, 3, 5)));
  expect(totalsIn(facts)).toEqual([
    expect.objectContaining({ sessionId: thread, inputTokens: 25, outputTokens: 3, costUsd: null }),
  ]);
});

test('A compaction is one of the thread, its sizes unknown', () => {
  const { facts } = told(meta(), line('compacted', { message: 'a summary' }));
  expect(facts).toEqual([
    {
      kind: 'compaction',
      agent: 'codex',
      sessionId: thread,
      key: '2026-11-20T10:00:02.000Z',
      occurredAt: '2026-11-20T10:00:02.000Z',
      preTokens: null,
      postTokens: null,
    },
  ]);
});

test('A file without its first line is of the thread that it is named after', () => {
  const facts = told(count(used(1, 1), used(1, 1)));
  expect(usageIn(facts)).toMatchObject([{ sessionId: thread, model: 'unknown' }]);
});

test.each([
  [{ thread_source: 'subagent' }, 'subagent'],
  [{ source: { subagent: { thread_spawn: {} } } }, 'subagent'],
  [{ source: 'exec', thread_source: 'user' }, 'main'],
])('A thread with %j is %s', (more, kind) => {
  expect(usageIn(told(meta(more), record('1', used(1, 1))))).toMatchObject([{ thread: kind }]);
});

test('Lines of an unknown shape say nothing', () => {
  const lines = [
    line('novelty', {}),
    { token_count: 'token_count' },
    line('event_msg', { type: 'x' }),
  ];
  expect(told(...lines)).toMatchObject({ facts: [], faults: [] });
});
