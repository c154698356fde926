import { readLines, usageIn } from '../../test/transcript-facts.js';
import { gemini } from './gemini.translate.js';

const header = { sessionId: 's1', projectHash: 'x', kind: 'main' };
const path = '/tmp/shop/chats/session-1.jsonl';

function message(id: string, tokens: object | undefined, more: object = {}): object {
  const timestamp = '2026-11-20T10:00:00.000Z';
  return { id, timestamp, type: 'gemini', model: 'gemini-2.5-pro', tokens, ...more };
}

function told(...lines: object[]) {
  return readLines(gemini, lines, path);
}

const tokens = { input: 100, output: 20, cached: 60, thoughts: 5, tool: 7, total: 132 };

test('Cached tokens are apart from input, thoughts are in output', () => {
  expect(usageIn(told(header, message('m1', tokens)))).toEqual([
    expect.objectContaining({
      key: 's1 m1',
      sessionId: 's1',
      inputTokens: 47,
      outputTokens: 25,
      cacheReadTokens: 60,
      cacheCreationTokens: 0,
      reasoningTokens: 5,
      tier: null,
      project: 'shop',
    }),
  ]);
});

test('More cached than asked is no input', () => {
  const facts = told(header, message('m1', { ...tokens, cached: 150, tool: 0 }));
  expect(usageIn(facts)).toMatchObject([{ inputTokens: 0, cacheReadTokens: 150 }]);
});

test('A message that is told again counts as it was told last', () => {
  const again = message('m1', { ...tokens, output: 1 });
  expect(usageIn(told(header, message('m1', tokens), again))).toMatchObject([{ outputTokens: 6 }]);
});

test('Messages inside a patch count, and those without tokens do not take theirs away', () => {
  const patch = { $set: { messages: [message('m1', undefined), message('m2', tokens)] } };
  const facts = usageIn(told(header, message('m1', tokens), patch));
  expect(facts.map(({ key }) => key)).toEqual(['s1 m1', 's1 m2']);
});

test('A patch may name the session', () => {
  const facts = told(
    { ...header, sessionId: undefined },
    { $set: { sessionId: 's2' } },
    message('m', tokens),
  );
  expect(usageIn(facts)).toMatchObject([{ sessionId: 's2' }]);
});

test('A file that a resume left, with a header alone, says nothing', () => {
  expect(told(header)).toMatchObject({ facts: [], faults: [] });
});

test('A session of a subagent is one', () => {
  const facts = told({ ...header, kind: 'subagent' }, message('m1', tokens));
  expect(usageIn(facts)).toMatchObject([{ thread: 'subagent' }]);
});

test('A folder that is named by a hash is no project', () => {
  const hashed = `/tmp/${'0a'.repeat(32)}/chats/session-1.jsonl`;
  const facts = readLines(gemini, [header, message('m1', tokens)], hashed);
  expect(usageIn(facts)[0]?.project).toBeUndefined();
});

test.each([
  ['no session', [message('m1', tokens)]],
  ['no id', [header, message('', tokens)]],
  ['no time', [header, message('m1', tokens, { timestamp: null })]],
  ['half a token', [header, message('m1', { ...tokens, output: 0.5 })]],
])('A message with %s is bad', (_what, lines) => {
  expect(told(...lines)).toMatchObject({ facts: [], faults: [expect.stringMatching(/^\d: /)] });
});

test('What the user said counts nothing', () => {
  expect(told(header, message('m1', tokens, { type: 'user' })).facts).toEqual([]);
});
