import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, gitLine, tryGit } from './git.js';
import { explained, withoutPassword } from './git-faults.js';

let folder: string;
const path = process.env['PATH'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'git-'));
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

/** A program in the place of git. */
function stand(script: string): void {
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'git'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'bin', 'git'), 0o755);
  process.env['PATH'] = `${join(folder, 'bin')}:${path}`;
}

const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

describe('Running git', () => {
  test('ends it and its helpers when it takes too long', async () => {
    stand(`sleep 600 & echo $! > ${folder}/helper; wait`);
    const outcome = await tryGit(['fetch'], { cwd: folder, ms: 500 });
    expect(outcome).toMatchObject({ exitCode: null, isLate: true });
    expect(isAlive(Number(readFileSync(join(folder, 'helper'), 'utf8')))).toBe(false);
    await expect(
      explained('It cannot be fetched', () => git(['fetch'], { cwd: folder, ms: 500 })),
    ).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('too long') as string,
    });
  });

  test('keeps the beginning of an endless output, and calls it a failure where all was wanted', async () => {
    stand('yes');
    const call = { cwd: folder, outputBytesMax: 1_000 };
    const outcome = await tryGit(['log'], call);
    expect(outcome).toMatchObject({ isCut: true, stdout: Buffer.from('y\n'.repeat(500)) });
    await expect(git(['log'], call)).rejects.toMatchObject({ name: 'GitFailure' });
  });

  test('hands it neither git variables nor the token of the worker, and no way to ask', async () => {
    stand('env');
    Object.assign(process.env, {
      GIT_SSH_COMMAND: 'touch x',
      TRI_AGENT_TOKEN: 'secret',
      PLAIN: 'here',
    });
    try {
      const told = await gitLine(['status'], { cwd: folder });
      expect(told).not.toMatch(/GIT_SSH_COMMAND|secret/);
      for (const line of [
        'PLAIN=here',
        'LC_ALL=C',
        'GIT_TERMINAL_PROMPT=0',
        'GIT_ALLOW_PROTOCOL=https:ssh:git',
      ]) {
        expect(told.split('\n')).toContain(line);
      }
    } finally {
      for (const name of ['GIT_SSH_COMMAND', 'TRI_AGENT_TOKEN', 'PLAIN'])
        Reflect.deleteProperty(process.env, name);
    }
  });

  test('does not mind that what it is told is not read', async () => {
    stand('exit 0');
    const input = Buffer.alloc(4 * 1024 * 1024);
    expect(await tryGit(['add'], { cwd: folder, input })).toMatchObject({ exitCode: 0 });
  });

  test('says in one sentence what an unknown complaint was', async () => {
    stand(
      'echo "warning: first" >&2; printf "fatal: some\\033[31m thing https://me:pw@host/x\\n" >&2; exit 128',
    );
    await expect(explained('It fails', () => git(['gc'], { cwd: folder }))).rejects.toMatchObject({
      message: 'It fails: git gc said "fatal: some [31m thing https://me:***@host/x".',
    });
  });
});

describe('A password in an address', () => {
  test.each([
    ['https://me:secret@host/app', 'https://me:***@host/app'],
    ['https://ghp_0123456789012345678901234@host/app', 'https://***@host/app'],
    ['https://host/app', 'https://host/app'],
    ['git@host:app', 'git@host:app'],
  ])('%s is shown as %s', (address, shown) => {
    expect(withoutPassword(address)).toBe(shown);
  });
});
