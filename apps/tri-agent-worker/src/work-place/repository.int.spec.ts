import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare } from './work-place.js';
import { makeHost, order, snapshotOf, type Host } from './work-place.spec-helper.js';

let host: Host;
beforeEach(() => {
  host = makeHost();
});
afterEach(() => {
  host.remove();
});

const preparing = (repository: string, ref: string | null = null) =>
  prepare(order({ repository, ref }), host.rules);

/** Refused with such a sentence; and nothing is left of the attempt. */
async function expectRefusal(work: Promise<unknown>, sentence: string, retryable: boolean) {
  await expect(work).rejects.toMatchObject({
    ...{ name: 'WorkPlaceError', retryable },
    message: expect.stringContaining(sentence) as string,
  });
  for (const part of ['attempts', 'records']) {
    const folder = join(host.rules.folder, part);
    expect(
      snapshotOf(host.home).some((entry) => entry.includes(`${part} `)) ? readdirSync(folder) : [],
    ).toEqual([]);
  }
}

describe('What names a repository', () => {
  test.each([
    ...[
      '--upload-pack=touch /tmp/x',
      '-u',
      'ext::sh -c touch% /tmp/x',
      'file:///srv/app',
      'file:/srv/app',
    ],
    ...[
      'http://127.0.0.1/app',
      'ftp://127.0.0.1/app',
      'fd::17',
      'relative/app',
      '../app',
      '~/app',
      '',
    ],
    ...[
      'ssh://-oProxyCommand=touch/app',
      'ssh://user@-oProxyCommand=x/app',
      'https://',
      'git@-host:app',
    ],
    ...['-git@host:app', 'git@host:-app', 'git@host::app', 'https://host/a b', 'https://host/a\nb'],
  ])('is refused when it is %j', async (repository) => {
    await expectRefusal(preparing(repository), 'is no repository: name', false);
  });

  test('shows its password to nobody', async () => {
    await expect(preparing('ftp://user:hunter2@127.0.0.1/app')).rejects.toThrow('user:***@');
  });

  test('is refused outside of the allowed roots, by a link, or with its branches outside', async () => {
    const outside = join(host.home, 'outside');
    host.git('/', 'clone', '--quiet', host.repository, outside);
    symlinkSync(outside, join(host.root, 'link'));
    await expectRefusal(preparing(outside), 'once links are followed', false);
    await expectRefusal(preparing(join(host.root, 'link')), 'once links are followed', false);
    host.git(outside, 'worktree', 'add', '--quiet', join(host.root, 'tree'));
    await expectRefusal(preparing(join(host.root, 'tree')), 'keeps its branches', false);
  });

  test('is refused when it is no repository, also inside of one', async () => {
    mkdirSync(join(host.root, 'plain'));
    await expectRefusal(preparing(join(host.root, 'plain')), 'is no git repository', false);
    await expectRefusal(preparing(join(host.repository, 'src')), 'is no git repository', false);
  });
});

describe('A ref', () => {
  test.each([
    'gone',
    '0123456789012345678901234567890123456789',
    'HEAD~99',
    'main:readme.txt',
    'main..main',
  ])('is refused when the repository does not have %j', async (ref) => {
    await expectRefusal(preparing(host.repository, ref), `no branch, tag or commit ${ref}`, false);
  });

  test.each(['-x', '--help', '', ' ', 'a b', 'a\nb', 'a\0b', 'x'.repeat(201)])(
    'is refused when it is %j',
    async (ref) => {
      await expectRefusal(preparing(host.repository, ref), 'name a branch, tag or commit', false);
    },
  );
});

describe('A repository', () => {
  const conflict = () => {
    host.git(host.repository, 'checkout', '--quiet', '-b', 'other');
    host.write(join(host.repository, 'readme.txt'), 'other\n');
    host.git(host.repository, 'commit', '--quiet', '-a', '-m', 'other');
    host.git(host.repository, 'checkout', '--quiet', 'main');
    host.write(join(host.repository, 'readme.txt'), 'main\n');
    host.git(host.repository, 'commit', '--quiet', '-a', '-m', 'main');
  };

  test.each(['rebase', 'merge', 'cherry-pick'])(
    'in the middle of a %s can be begun from a ref, and from HEAD later',
    async (what) => {
      conflict();
      host.failingGit(host.repository, what, 'other');
      await expectRefusal(preparing(host.repository), `in the middle of a ${what}`, true);
      expect((await preparing(host.repository, 'main')).directory).toContain('attempts');
      host.git(host.repository, what, '--abort');
      expect((await preparing(host.repository)).directory).toContain('attempts');
    },
  );

  test('without a commit is refused until it has one', async () => {
    const empty = join(host.root, 'empty');
    mkdirSync(empty);
    host.git(empty, 'init', '--quiet');
    await expectRefusal(preparing(empty), 'HEAD has no commit', false);
  });

  test('that is damaged is refused, and said to be', async () => {
    const tree = host.git(host.repository, 'rev-parse', 'HEAD:readme.txt').trim();
    rmSync(join(host.repository, '.git', 'objects', tree.slice(0, 2), tree.slice(2)), {
      force: true,
    });
    await expectRefusal(preparing(host.repository), 'it is damaged', false);
    expect(host.git(host.repository, 'branch', '--list', 'tri-agent/*')).toBe('');
  });

  test('with a branch in the way is refused, and that branch left alone', async () => {
    host.git(host.repository, 'branch', 'tri-agent');
    await expectRefusal(preparing(host.repository), 'stands in the way', false);
    host.git(host.repository, 'branch', '-m', 'tri-agent', 'tri-agent/t/a');
    const same = order({ repository: host.repository, taskId: 't', attemptId: 'a' });
    await expect(prepare(same, host.rules)).rejects.toThrow('there is a branch of that name');
    expect(host.git(host.repository, 'branch', '--list', 'tri-agent/t/a')).toContain(
      'tri-agent/t/a',
    );
  });

  test('whose branch is locked by another git can be tried again', async () => {
    const lock = join(host.repository, '.git', 'refs', 'heads', 'tri-agent', 't', 'a.lock');
    host.write(lock, '');
    const same = order({ repository: host.repository, taskId: 't', attemptId: 'a' });
    await expectRefusal(prepare(same, host.rules), 'locked by another git', true);
    rmSync(lock);
    expect((await prepare(same, host.rules)).directory).toContain('attempts');
  });
});

describe('The git of the host', () => {
  const withGit = async (script: string | null, work: () => Promise<void>) => {
    const path = process.env['PATH'];
    const folder = join(host.home, 'bin');
    mkdirSync(folder);
    if (script !== null) {
      writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, 'git'), 0o755);
    }
    process.env['PATH'] = folder;
    try {
      await work();
    } finally {
      process.env['PATH'] = path;
    }
  };

  test('must be there, and new enough', async () => {
    await withGit(null, () => expectRefusal(preparing(host.repository), 'need git 2.30', false));
    rmSync(join(host.home, 'bin'), { recursive: true });
    await withGit('echo git version 2.29.9', () =>
      expectRefusal(preparing(host.repository), 'git 2.29.9 is too old', false),
    );
  });

  test('is not needed for what has no repository', async () => {
    await withGit(null, async () => {
      expect((await prepare(order({}), host.rules)).directory).toContain('attempts');
    });
  });

  test('is asked without what the one who starts the worker has set', async () => {
    const elsewhere = join(host.home, 'elsewhere');
    execFileSync('git', ['init', '--quiet', elsewhere]);
    process.env['GIT_DIR'] = join(elsewhere, '.git');
    process.env['GIT_INDEX_FILE'] = join(elsewhere, 'index');
    try {
      const place = await preparing(host.repository);
      host.write(join(place.directory, 'x.txt'), 'x\n');
      expect((await place.finish('completed')).changes).toMatchObject({ filesChanged: 1 });
    } finally {
      delete process.env['GIT_DIR'];
      delete process.env['GIT_INDEX_FILE'];
    }
  });
});
