import { limits } from '#kernel/limits.js';
import { readLines, totalsIn, usageIn } from '../../test/transcript-facts.js';
import { claude } from './claude.translate.js';

interface Parts {
  readonly line?: object;
  readonly message?: object;
  readonly usage?: object;
}

/** One line of an answer, with what is to be different. */
function answer({ line = {}, message = {}, usage = {} }: Parts = {}): object {
  return {
    type: 'assistant',
    sessionId: 's1',
    timestamp: '2026-11-20T10:00:00.000Z',
    requestId: 'req_1',
    ...line,
    message: {
      id: 'msg_1',
      model: 'claude-sonnet-4-5',
      ...message,
      usage: { input_tokens: 1, output_tokens: 2, ...usage },
    },
  };
}

function told(...lines: object[]) {
  return readLines(claude, lines);
}

describe('A request that several lines tell', () => {
  const at = (second: number, output: number) =>
    answer({
      line: { timestamp: `2026-11-20T10:00:0${second}.000Z` },
      usage: { output_tokens: output },
    });

  test.each([
    ['counts with the most output, whichever line has it', [at(1, 1), at(2, 90), at(3, 5)], 2, 90],
    ['counts as its last line says, where several have the most', [at(1, 9), at(2, 9)], 2, 9],
  ])('%s', (_what, lines, second, output) => {
    expect(usageIn(told(...lines))).toEqual([
      expect.objectContaining({
        outputTokens: output,
        occurredAt: `2026-11-20T10:00:0${second}.000Z`,
      }),
    ]);
  });

  test('is known by its message where no request id is told, else by the line', () => {
    const lines = [
      answer({ line: { requestId: undefined } }),
      answer({ line: { requestId: undefined } }),
      answer({ line: { requestId: undefined, uuid: 'u1' }, message: { id: undefined } }),
    ];
    const facts = usageIn(told(...lines));
    expect(facts.map(({ key, requestId }) => [key, requestId])).toEqual([
      ['msg_1', undefined],
      ['u1', undefined],
    ]);
  });

  test('is not held for ever while others follow', () => {
    const translator = claude.begin('s1.jsonl');
    for (let count = 0; count <= limits.transcriptRequestsHeldMax; count += 1) {
      translator.line(answer({ line: { requestId: `req_${count}` } }) as Record<string, unknown>);
    }
    expect(translator.take(false)).toMatchObject([{ key: 'req_0' }]);
    expect(translator.take(true)).toHaveLength(limits.transcriptRequestsHeldMax);
  });
});

describe('The tier', () => {
  test.each([
    [{}, 'standard'],
    [{ speed: 'standard', service_tier: 'standard' }, 'standard'],
    [{ speed: 'normal' }, 'standard'],
    [{ speed: 'fast', service_tier: 'standard' }, 'fast'],
    [{ speed: 'standard', service_tier: 'batch' }, 'batch'],
    [{ service_tier: 'priority' }, 'priority'],
    [{ service_tier: null, speed: null }, 'standard'],
  ])('of %j is %s', (usage, tier) => {
    expect(usageIn(told(answer({ usage })))[0]?.tier).toBe(tier);
  });
});

describe('The cache', () => {
  test('tells what is kept for an hour, where it does', () => {
    const usage = {
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    };
    expect(usageIn(told(answer({ usage })))).toMatchObject([
      { cacheReadTokens: 5, cacheCreationTokens: 30, cacheCreation1hTokens: 20 },
    ]);
    expect(usageIn(told(answer()))).toMatchObject([
      { cacheReadTokens: 0, cacheCreationTokens: 0, cacheCreation1hTokens: null },
    ]);
  });
});

describe('Whose it is', () => {
  test('is the subagent that the line names, or the file', () => {
    const lines = [answer({ line: { isSidechain: true, agentId: 'a1' } })];
    const named = readLines(claude, lines, '/p/s1.jsonl');
    expect(usageIn(named)).toMatchObject([{ thread: 'subagent', subagentId: 'a1' }]);
    const inFolder = readLines(claude, [answer()], '/p/s1/subagents/agent-a2.jsonl');
    expect(usageIn(inFolder)).toMatchObject([{ thread: 'subagent', subagentId: 'a2' }]);
    expect(usageIn(told(answer()))).toMatchObject([{ thread: 'main' }]);
  });

  test('is the session that the file is named after, where the line names none', () => {
    const lines = [answer({ line: { sessionId: undefined } })];
    expect(usageIn(readLines(claude, lines, '/p/s7.jsonl'))).toMatchObject([{ sessionId: 's7' }]);
  });

  test.each([
    ['/home/dev/shop', 'shop'],
    ['/home/dev/shop/', 'shop'],
    ['C:\\work\\shop', 'shop'],
    ['/', undefined],
    [7, undefined],
  ])('in the folder %j is the project %s', (cwd, project) => {
    expect(usageIn(told(answer({ line: { cwd } })))[0]?.project).toBe(project);
  });

  test.each([
    ['msg_bdrk_01', 'bedrock'],
    ['msg_vrtx_01', 'vertex'],
    ['msg_01', undefined],
  ])('answered as %s was sold by %s', (id, provider) => {
    expect(usageIn(told(answer({ message: { id } })))[0]?.provider).toBe(provider);
  });
});

test('A cost that an old version wrote is kept as dollars with nine digits', () => {
  expect(usageIn(told(answer({ line: { costUSD: 0.0372585 } })))[0]?.costUsd).toBe('0.037258500');
});

test.each([
  ['of another type', { ...answer(), type: 'progress' }],
  ['without usage', { type: 'assistant', message: { id: 'put_tokens"' } }],
  ['that the client made up', answer({ message: { model: '<synthetic>' } })],
  ['of nothing known', { type: 'novelty', put_tokens: 'put_tokens' }],
])('A line %s says nothing', (_what, line) => {
  expect(told(line)).toMatchObject({ facts: [], faults: [] });
});

describe('The totals of a session', () => {
  const model = { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, costUSD: 0.5 };
  const state = {
    type: 'cost-state',
    sessionId: 's1',
    totalCostUSD: 1,
    startTime: Date.UTC(2026, 0, 1),
    modelUsage: { a: model, b: { ...model, cacheCreationInputTokens: 4 } },
  };

  test('are summed up over its models, as of its last request', () => {
    expect(totalsIn(told(answer(), state))).toEqual([
      {
        kind: 'totals',
        agent: 'claude-code',
        sessionId: 's1',
        statedAt: '2026-11-20T10:00:00.000Z',
        inputTokens: 2,
        outputTokens: 4,
        cacheReadTokens: 6,
        cacheCreationTokens: 4,
        costUsd: '1.000000000',
      },
    ]);
  });

  test('without a request are as of its start', () => {
    expect(totalsIn(told(state))[0]?.statedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  test('have no cost where the client knew no price of some model', () => {
    expect(totalsIn(told({ ...state, hasUnknownModelCost: true }))[0]?.costUsd).toBeNull();
  });

  test('that are no numbers are bad', () => {
    expect(told({ ...state, modelUsage: { a: { inputTokens: -1 } } }).faults).toHaveLength(1);
    expect(told({ ...state, totalCostUSD: 1e12 }).faults).toHaveLength(1);
  });
});
