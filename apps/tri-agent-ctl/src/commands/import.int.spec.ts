import {
  appendFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';
import { StubImports } from '../../test/stub-imports.js';
import { run, Terminal, type Outcome } from '../../test/terminal.js';
import { recordedFolder } from '../../test/transcript-facts.js';
import type { Io } from '../io.js';
import { runCli } from '../program.js';
import type { Report } from '../transcripts/report.js';

let home: string;
let stub: StubImports;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'import-'));
  stub = new StubImports();
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function env(): Record<string, string> {
  return {
    HOME: home,
    TRI_AGENT_HOME: join(home, '.tri-agent'),
    TRI_AGENT_TOKEN: 'a-token-for-tests-only',
  };
}

function cli(...argv: string[]): Promise<Outcome> {
  return run(env(), ['import', ...argv], { fetch: stub.fetch });
}

async function report(...argv: string[]): Promise<Report> {
  const { out, err, exit } = await cli(...argv, '--json');
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  return JSON.parse(out) as Report;
}

function answer(key: string, more: object = {}): string {
  const line = {
    type: 'assistant',
    sessionId: 's1',
    timestamp: '2026-11-20T10:00:00.000Z',
    requestId: key,
    message: {
      id: `msg_${key}`,
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text: 'a private answer' }],
      usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 },
    },
    ...more,
  };
  return `${JSON.stringify(line)}\n`;
}

function write(path: string, content: string | Uint8Array): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

const session = '.claude/projects/-home-dev-shop/s1.jsonl';

function keys(): (string | undefined)[] {
  return stub.facts.map((fact) => ('key' in fact ? fact.key : undefined));
}

describe('The first import', () => {
  beforeEach(() => {
    cpSync(join(recordedFolder, 'claude'), join(home, '.claude'), { recursive: true });
    cpSync(join(recordedFolder, 'codex'), join(home, '.codex'), { recursive: true });
    cpSync(join(recordedFolder, 'gemini'), join(home, '.gemini'), { recursive: true });
  });

  test('finds what all agents left where they leave it', async () => {
    const { agents, appended, alreadyKnown, badLines } = await report();
    expect(agents.map(({ agent, files, requests }) => [agent, files, requests]).sort()).toEqual([
      ['claude-code', 4, 20],
      ['codex', 5, 7],
      ['gemini', 4, 7],
    ]);
    expect({ alreadyKnown, badLines }).toEqual({ alreadyKnown: 0, badLines: 0 });
    expect(appended).toBe(stub.facts.length);
  });

  test('is new only once', async () => {
    const { appended } = await report();
    expect(await report()).toMatchObject({ appended: 0, alreadyKnown: appended });
  });

  test('takes one agent alone when told so', async () => {
    expect((await report('codex')).agents).toMatchObject([{ agent: 'codex', requests: 7 }]);
  });

  test('takes a named folder or file, whose it is by its name', async () => {
    expect((await report('--path', join(home, '.gemini'))).requests).toBe(7);
    const file = join(home, '.claude/projects/-home-dev-repo-d-parallel');
    expect((await report('--path', file)).requests).toBe(5);
  });

  test('sends nothing in a dry run, and says so', async () => {
    const { out } = await cli('--dry-run');
    expect(out).toMatch(/total +13 +34 /);
    expect(out).toContain('Nothing was sent');
    expect(stub.bodies).toEqual([]);
  });

  test('tells a person what came in', async () => {
    const { out, err, exit } = await cli();
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toMatch(/^13 files, [\d,]+ lines, \d+ KiB in \d+\.\d s\n/);
    expect(out).toMatch(/\d+ new, 0 known already/);
  });

  test('draws its progress on a terminal and takes it away', async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const more = { fetch: stub.fetch, terminal: terminal as unknown as NodeJS.WriteStream };
    await run(env(), ['import'], more);
    expect(String(terminal.read())).toContain('Reading');
  });
});

test('Only what was used is sent, never what was said', async () => {
  write(session, answer('r1', { cwd: '/home/dev/shop' }));
  await cli();
  expect(stub.facts).toHaveLength(1);
  expect(stub.bodies.join()).not.toContain('private');
  expect(stub.bodies.join()).not.toContain('/home/dev');
});

test('Large imports go in several batches', async () => {
  const lines = Array.from({ length: 1201 }, (_, index) => answer(`r${index}`));
  write(session, lines.join(''));
  expect(await report()).toMatchObject({ requests: 1201, appended: 1201 });
  expect(stub.bodies).toHaveLength(3);
});

describe('Where nothing is', () => {
  test('it says where it looked', async () => {
    const { out, err, exit } = await cli();
    expect(exit).toBe(0);
    expect(out).toBe('No transcripts were found.\n');
    for (const folder of ['.claude/projects', '.codex/sessions', '.gemini/tmp']) {
      expect(err).toContain(join(home, folder));
    }
  });

  test('a path that is named and not there is a mistake', async () => {
    const { err, exit } = await cli('--path', join(home, 'nowhere'));
    expect(exit).toBe(1);
    expect(err).toMatch(/nowhere cannot be read \(ENOENT\)/);
  });
});

describe('Other homes of the agents', () => {
  test('are taken from the environment of the agents', async () => {
    write('elsewhere/projects/p/s.jsonl', answer('r1'));
    write('third/projects/p/s.jsonl', answer('r2'));
    cpSync(join(recordedFolder, 'codex/sessions'), join(home, 'cx/archived_sessions'), {
      recursive: true,
    });
    const more = {
      CLAUDE_CONFIG_DIR: `${join(home, 'elsewhere')},${join(home, 'third')}`,
      CODEX_HOME: join(home, 'cx'),
    };
    const { out } = await run({ ...env(), ...more }, ['import', '--json'], { fetch: stub.fetch });
    expect(JSON.parse(out)).toMatchObject({ requests: 9, files: 7 });
  });
});

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

describe('A server', () => {
  beforeEach(() => {
    write(session, answer('r1'));
  });

  test('that is not there ends the import, which can be run again', async () => {
    stub.isThere = false;
    const { err, exit } = await cli();
    expect(exit).toBe(1);
    expect(err).toContain('No server answers');
    expect(err).toContain('run the import again');
    stub.isThere = true;
    expect(await report()).toMatchObject({ appended: 1 });
  });

  test('that is busy is asked again', async () => {
    stub.refusals.push({ status: 503, body: { code: 'LOG_UNAVAILABLE', detail: 'Busy.' } });
    const { err, exit } = await cli();
    expect({ exit, sent: keys() }).toEqual({ exit: 0, sent: ['r1'] });
    expect(err).toContain('Waiting for it.');
  });

  test('that does not take the token ends the import', async () => {
    stub.refusals.push({ status: 401, body: { code: 'TOKEN_WRONG', detail: 'No.' } });
    expect((await cli()).exit).toBe(1);
  });
});

describe('With --watch', () => {
  let ending: AbortController;
  let terminal: Terminal;
  let ended: Promise<number>;

  async function watching(...argv: string[]): Promise<void> {
    ending = new AbortController();
    terminal = new Terminal();
    const more: Partial<Io> = { fetch: stub.fetch, signal: ending.signal };
    ended = runCli(['import', '--watch', ...argv], terminal.io(env(), more));
    await terminal.until(({ err, out }) => err.includes('Following') || out.includes('lookedIn'));
  }
  afterEach(async () => {
    ending.abort();
    expect(await ended).toBe(0);
  });

  test('what is appended goes in, line by line', async () => {
    const file = write(session, answer('r1'));
    await watching();
    const [begun, rest] = [answer('r3').slice(0, 50), answer('r3').slice(50)];
    appendFileSync(file, answer('r2') + begun);
    await terminal.until(({ out }) => out.includes('1 request, 6 tokens: 1 new'));
    appendFileSync(file, rest);
    await terminal.until(({ out }) => out.match(/1 new/g)?.length === 3);
    expect(keys()).toEqual(['r1', 'r2', 'r3']);
    expect(terminal.err).toBe('Following. Ctrl-C ends it.\n');
  });

  test('a new file goes in, also where no folder was', async () => {
    await watching();
    write(session, answer('r1'));
    await terminal.until(({ out }) => out.includes('1 new'));
    expect(keys()).toEqual(['r1']);
  });

  test('a file that was replaced or cut is read anew', async () => {
    const file = write(session, answer('r1') + answer('r2'));
    await watching('--json');
    write(`${session}.new`, answer('r3'));
    renameSync(`${file}.new`, file);
    await terminal.until(({ out }) => out.includes('"appended":1,'));
    writeFileSync(file, '');
    appendFileSync(file, answer('r4'));
    await terminal.until(({ out }) => out.match(/"appended":1,/g)?.length === 2);
    expect(keys()).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  test('a server that goes away is waited for', async () => {
    const file = write(session, answer('r1'));
    await watching();
    stub.isThere = false;
    appendFileSync(file, answer('r2'));
    await terminal.until(({ err }) => err.includes('Waiting for it.'));
    stub.isThere = true;
    await terminal.until(({ out }) => out.includes('1 request, 6 tokens: 1 new'));
    expect(keys()).toEqual(['r1', 'r2']);
  });

  test('what had too little output when it was read is told again', async () => {
    const early = { id: 'm', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } };
    const file = write(session, answer('r1', { message: early }));
    await watching();
    appendFileSync(file, answer('r1'));
    await terminal.until(({ out }) => out.includes('0 requests, 4 tokens: 1 new'));
    expect(keys()).toEqual(['r1', 'r1']);
  });
});
