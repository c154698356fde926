import { appendFileSync, linkSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import {
  answer,
  cli,
  home,
  keys,
  report,
  session,
  stub,
  write,
} from '../../test/import-home.spec-helper.js';
import { recordedFolder } from '../../test/transcript-facts.js';

describe('Bad input', () => {
  test('in one line is named with its file and line, and the rest goes in', async () => {
    const file = write(session, `${answer('r1')}{"put_tokens":\n${answer('r2')}nonsense\n`);
    const { err, exit } = await cli();
    expect(exit).toBe(0);
    expect(keys()).toEqual(['r1', 'r2']);
    expect(err).toContain(`${file}:2: the line is no JSON, or only a part of it`);
    expect(err).toContain(`${file}:4: the line is no JSON object, or only a part of one`);
  });

  const usage = (input: unknown) => ({
    message: { id: 'm', model: 'm', usage: { input_tokens: input, output_tokens: 1 } },
  });
  test.each([
    ['fewer tokens than none', answer('bad', usage(-1))],
    ['half a token', answer('bad', usage(0.5))],
    ['more tokens than any request', answer('bad', usage(1e15))],
    ['a number in words', answer('bad', usage('many'))],
    ['no time', answer('bad', { timestamp: 'yesterday' })],
    ['a cost that is none', answer('bad', { costUSD: -1 })],
  ])('with %s costs the other lines nothing', async (_what, line) => {
    write(session, answer('r1') + line + answer('r2'));
    const { badLines, faults } = await report();
    expect(keys()).toEqual(['r1', 'r2']);
    expect({ badLines, lines: faults.map(({ line: at }) => at) }).toEqual({
      badLines: 1,
      lines: [2],
    });
  });

  test('of many lines is named for the first twenty, and all of it with --json', async () => {
    write(session, 'nonsense\n'.repeat(30));
    const { err } = await cli();
    expect(err.match(/s1\.jsonl:\d+:/g)).toHaveLength(20);
    expect((await report()).faults).toHaveLength(30);
  });

  test('in another encoding is named once', async () => {
    write(session, Buffer.from(answer('r1').repeat(3), 'utf16le'));
    write('.claude/projects/p/s2.jsonl', `\uFEFF${answer('r2')}`);
    expect((await report()).faults).toMatchObject(
      [{ line: 1, reason: /UTF-16/ }].map(() => ({ line: 1 })),
    );
    expect(keys()).toEqual(['r2']);
  });

  test('that is being written is no error, and comes the next time', async () => {
    const [begun, rest] = [answer('r2').slice(0, 80), answer('r2').slice(80)];
    const file = write(session, answer('r1') + begun);
    expect(await report()).toMatchObject({ badLines: 0, requests: 1 });
    appendFileSync(file, rest);
    expect(await report()).toMatchObject({ badLines: 0, requests: 2, appended: 1 });
  });

  test('of an unknown version is passed over, and counted', async () => {
    write(session, `{"type":"novelty","v":9}\n${answer('r1')}{"kind":"x"}\n`);
    expect(await report()).toMatchObject({ lines: 3, ignoredLines: 2, requests: 1, badLines: 0 });
  });

  test('behind links that lead in circles, nowhere or twice to the same is told once each', async () => {
    const file = write(session, answer('r1'));
    const projects = join(home, '.claude/projects');
    symlinkSync(projects, join(projects, 'circle'));
    symlinkSync(join(home, 'nowhere.jsonl'), join(projects, 'nowhere.jsonl'));
    symlinkSync(join(projects, 'self.jsonl'), join(projects, 'self.jsonl'));
    linkSync(file, join(projects, 'again.jsonl'));
    const { files, requests, unread } = await report();
    expect({ files, requests }).toEqual({ files: 1, requests: 1 });
    expect(unread).toEqual([
      { path: join(projects, 'nowhere.jsonl'), reason: 'it leads nowhere, or is gone' },
      { path: join(projects, 'self.jsonl'), reason: 'ELOOP' },
    ]);
  });

  test('that only looks like a file is passed over', async () => {
    mkdirSync(join(home, '.claude/projects/p/folder.jsonl'), { recursive: true });
    write(session, answer('r1'));
    expect(await report()).toMatchObject({ files: 1, requests: 1, unread: [] });
  });

  test('in the name of a file does nothing to the terminal', async () => {
    write('.claude/projects/p/\u001b[31mred\u0007.jsonl', 'nonsense\n');
    const { err } = await cli();
    expect(err).toContain('p/red.jsonl:1:');
    expect(err).not.toContain('\u001b');
  });

  test('that the server refuses is named', async () => {
    stub.rejects.add('r2');
    write(session, answer('r1') + answer('r2'));
    const { err, exit } = await cli();
    expect(exit).toBe(0);
    expect(err).toContain('the server refused request r2: no.');
  });
});

describe('Compressed and older files', () => {
  const rollout = 'rollout-2026-11-20T17-08-40-01a1f9ee-84b6-7091-86d1-d93bb187c757.jsonl';

  test('of Codex are read as they are', async () => {
    const plain = readFileSync(join(recordedFolder, 'codex/sessions/2026/11/20', rollout));
    write(`.codex/archived_sessions/${rollout}.zst`, zstdCompressSync(plain));
    expect(await report()).toMatchObject({ requests: 2, badLines: 0 });
  });

  test('that are damaged are named', async () => {
    const file = write(`.codex/sessions/${rollout}.zst`, 'not compressed at all');
    const { faults } = await report();
    expect(faults).toMatchObject([{ file, line: 0 }]);
  });

  test('of Gemini that are one document are read', async () => {
    const message = {
      id: 'm1',
      type: 'gemini',
      timestamp: '2026-01-01T00:00:00.000Z',
      model: 'gemini-2.5-pro',
      tokens: { input: 10, output: 2, cached: 4, thoughts: 3, tool: 1, total: 16 },
    };
    const document = { sessionId: 's9', projectHash: 'x', messages: [{ type: 'user' }, message] };
    write('.gemini/tmp/shop/chats/session-1.json', JSON.stringify(document, null, 2));
    await report();
    expect(stub.facts).toEqual([
      expect.objectContaining({
        sessionId: 's9',
        inputTokens: 7,
        outputTokens: 5,
        project: 'shop',
      }),
    ]);
  });
});
