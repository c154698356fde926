import {
  readRecorded,
  recorded,
  sumOf,
  totalsIn,
  usageIn,
  type Recorded,
} from '../../test/transcript-facts.js';

/** Held against what the clients themselves printed when they ended. */

describe('A Claude Code session of four runs with a subagent', () => {
  const main = readRecorded('claudeTools');
  const subagent = readRecorded('claudeSubagent');
  const all = [...usageIn(main), ...usageIn(subagent)];

  test('adds up, with its subagent, to what its last run printed', () => {
    expect(sumOf(all)).toEqual([96, 782, 189_040, 10_310]);
  });

  test('states its totals at the end of each run', () => {
    expect(totalsIn(main).map(({ costUsd }) => costUsd)).toEqual([
      '0.037258500',
      '0.053935500',
      '0.070591500',
      '0.107392500',
    ]);
    expect(sumOf(totalsIn(main).slice(-1))).toEqual([96, 782, 189_040, 10_310]);
  });

  test('tells each request once, however many lines its answer took', () => {
    expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
    expect(usageIn(main).length).toBeGreaterThan(5);
  });

  test('tells the subagent from the session that it belongs to', () => {
    expect(usageIn(subagent)).toEqual([
      expect.objectContaining({
        sessionId: 'dd1fcb1f-4177-403e-bdae-71603bb1bf4b',
        thread: 'subagent',
        subagentId: 'a879143d5b9ec0fe5',
        outputTokens: 28,
      }),
    ]);
    expect(usageIn(main).every(({ thread }) => thread === 'main')).toBe(true);
  });

  test('names what it ran with', () => {
    expect(usageIn(main)[0]).toEqual({
      kind: 'usage',
      agent: 'claude-code',
      sessionId: 'dd1fcb1f-4177-403e-bdae-71603bb1bf4b',
      key: 'req_mocketo5gbb14ij0',
      requestId: 'req_mocketo5gbb14ij0',
      occurredAt: '2026-11-20T17:11:03.987Z',
      model: 'claude-sonnet-4-5-20250929',
      tier: 'standard',
      inputTokens: 8,
      outputTokens: 96,
      cacheReadTokens: 15_000,
      cacheCreationTokens: 900,
      cacheCreation1hTokens: 0,
      reasoningTokens: null,
      thread: 'main',
      project: 'b-tools',
      clientVersion: '2.1.329',
    });
  });
});

test('A Claude Code session that was compacted states more than its answers show', () => {
  const told = readRecorded('claudeCompacted');
  // The summary's own request is in no line of the file, only in the totals.
  const [input, output, cacheRead, cacheCreation] = sumOf(usageIn(told));
  expect(sumOf(totalsIn(told))).toEqual([5250, 81_612, 307_000, 69_500]);
  expect([input! < 5250, output! < 81_612, cacheRead! <= 307_000]).toEqual([true, true, true]);
  expect(cacheCreation).toBeLessThanOrEqual(69_500);
});

test('A Claude Code session among others adds up to what it printed', () => {
  const told = readRecorded('claudeParallel');
  expect(sumOf(usageIn(told))).toEqual([28, 421, 80_240, 1810]);
  expect(sumOf(totalsIn(told))).toEqual([28, 421, 80_240, 1810]);
});

describe('A Codex thread of three runs', () => {
  const told = readRecorded('codexResumed');

  test('tells each call of the model once', () => {
    expect(usageIn(told).map((fact) => sumOf([fact]))).toEqual([
      [2478, 96, 9472, 0],
      [2495, 96, 9600, 0],
      [2621, 187, 9856, 0],
      [2633, 96, 10_112, 0],
    ]);
    expect(usageIn(told).map(({ reasoningTokens }) => reasoningTokens)).toEqual([64, 64, 64, 64]);
  });

  test('states last what its last run printed: 49,267 of input, 39,040 of them cached', () => {
    expect(sumOf(totalsIn(told))).toEqual([49_267 - 39_040, 475, 39_040, 0]);
    expect(sumOf(usageIn(told))).toEqual(sumOf(totalsIn(told)));
  });

  test('names what it ran with', () => {
    expect(usageIn(told)[0]).toMatchObject({
      sessionId: '01a1f9ec-e12e-7670-af59-0cf8db2f897b',
      key: 'resp_4170618b34e7fcc6f5d9cc584cf85125aa8893e3fa86e06d',
      occurredAt: '2026-11-20T17:06:53.807Z',
      model: 'gpt-5.6-sol',
      tier: null,
      thread: 'main',
      project: 'codex',
      clientVersion: '0.169.0',
    });
    expect(usageIn(told)[0]).not.toHaveProperty('requestId');
  });
});

test('A Codex thread with a tool adds up to what it printed', () => {
  expect(sumOf(usageIn(readRecorded('codexTool')))).toEqual([24_139 - 19_200, 283, 19_200, 0]);
});

describe('Gemini', () => {
  test('tells a message that is written twice once', () => {
    const told = readRecorded('geminiResumed');
    expect(usageIn(told).map((fact) => sumOf([fact]))).toEqual([
      [11_749, 31 + 55, 0, 0],
      [11_898, 18 + 48, 0, 0],
      [12_019 - 8413, 18 + 48, 8413, 0],
      [12_050 - 8435, 18 + 48, 8435, 0],
    ]);
    expect(new Set(usageIn(told).map(({ sessionId }) => sessionId))).toEqual(
      new Set(['a9e870ca-cd07-405c-a286-f4c040c0afa3']),
    );
  });

  test('tells what it ran with', () => {
    expect(usageIn(readRecorded('geminiPlain'))).toEqual([
      {
        kind: 'usage',
        agent: 'gemini',
        sessionId: 'a895d4ae-c717-43f9-a70e-82d9acfa3d8d',
        key: 'a895d4ae-c717-43f9-a70e-82d9acfa3d8d 52a7fe9f-490d-44ba-b36e-492180f7e406',
        occurredAt: '2026-11-20T17:10:32.066Z',
        model: 'gemini-2.5-pro',
        tier: null,
        inputTokens: 11_749,
        outputTokens: 66,
        cacheReadTokens: 0,
        cacheCreationTokens: 0,
        cacheCreation1hTokens: null,
        reasoningTokens: 48,
        thread: 'main',
        project: 'gemini',
      },
    ]);
  });
});

const requests: readonly [Recorded, number][] = [
  ['codexFailed', 0],
  ['codexKilled', 1],
  ['codexAborted', 0],
  ['geminiRetried', 1],
  ['geminiKilled', 1],
];
test.each(requests)('%s tells %i requests', (name, count) => {
  expect(usageIn(readRecorded(name))).toHaveLength(count);
});

test.each(Object.keys(recorded) as Recorded[])('no line of %s is called bad', (name) => {
  expect(readRecorded(name).faults).toEqual([]);
});
