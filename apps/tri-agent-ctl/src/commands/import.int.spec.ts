import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  answer,
  cli,
  env,
  home,
  keys,
  report,
  session,
  stub,
  write,
} from '../../test/import-home.spec-helper.js';
import { run } from '../../test/terminal.js';
import { recordedFolder } from '../../test/transcript-facts.js';

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
