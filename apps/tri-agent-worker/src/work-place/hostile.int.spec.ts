import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { limits } from '#kernel/limits.js';
import { prepare, type WorkPlace } from './work-place.js';
import { makeHost, ofAttempts, order, snapshotOf, type Host } from './work-place.spec-helper.js';

/** What a repository or an agent can do to what works on it afterwards. */

let host: Host;
beforeEach(() => {
  host = makeHost();
});
afterEach(() => {
  host.remove();
});

const makePlace = async (): Promise<WorkPlace> =>
  prepare(order({ repository: host.repository }), host.rules);
const filesOf = (head: string) =>
  host.git(host.repository, 'ls-tree', '-r', '-z', '--name-only', head).split('\0').slice(0, -1);
/** A program that leaves a mark when it runs. */
const marker = () => {
  const program = join(host.home, 'marker.sh');
  host.write(program, `#!/bin/sh\ntouch ${host.home}/mark-$$\nexit 0\n`);
  chmodSync(program, 0o755);
  return program;
};
const marks = () => snapshotOf(host.home).filter((entry) => entry.startsWith('mark-'));

const hooks = [
  ...['post-checkout', 'pre-commit', 'commit-msg', 'post-commit', 'post-index-change'],
  ...['reference-transaction', 'prepare-commit-msg', 'post-merge', 'pre-auto-gc', 'post-rewrite'],
];

describe('No program of the repository', () => {
  test('is run by us: neither its hooks nor its file monitor', async () => {
    const program = marker();
    for (const hook of hooks) symlinkSync(program, join(host.repository, '.git', 'hooks', hook));
    host.git(host.repository, 'config', 'core.fsmonitor', program);
    host.git(host.repository, 'status');
    expect(marks().length).toBeGreaterThan(0);
    execFileSync('sh', ['-c', `rm ${host.home}/mark-*`]);
    const place = await makePlace();
    host.write(join(place.directory, 'x.txt'), 'x\n');
    expect((await place.finish('completed')).changes).not.toBeNull();
    expect(marks()).toEqual([]);
  });

  test('is run by us where hooks are checked in and named in the settings', async () => {
    for (const hook of hooks) {
      host.write(join(host.repository, 'hooks', hook), `#!/bin/sh\ntouch ${host.home}/mark-$$\n`);
      chmodSync(join(host.repository, 'hooks', hook), 0o755);
    }
    host.git(host.repository, 'add', '.');
    host.git(host.repository, 'commit', '--quiet', '-m', 'hooks');
    host.git(host.repository, 'config', 'core.hooksPath', 'hooks');
    const place = await makePlace();
    host.write(join(place.directory, 'x.txt'), 'x\n');
    await place.finish('completed');
    expect(marks()).toEqual([]);
  });

  test('is run by us out of a repository that the agent has made inside of its folder', async () => {
    const place = await makePlace();
    const nested = join(place.directory, 'nested');
    mkdirSync(nested);
    host.git(nested, 'init', '--quiet');
    host.write(join(nested, 'kept.txt'), 'kept\n');
    host.git(nested, 'add', '.');
    host.git(nested, 'commit', '--quiet', '-m', 'nested');
    host.git(nested, 'config', 'core.fsmonitor', marker());
    host.write(join(nested, 'kept.txt'), 'changed\n');
    await place.finish('completed');
    expect(marks()).toEqual([]);
  });

  test('is run by us out of a `.git` that the agent has put in the place of ours', async () => {
    const place = await makePlace();
    rmSync(join(place.directory, '.git'));
    host.git(place.directory, 'init', '--quiet');
    host.git(place.directory, 'config', 'core.fsmonitor', marker());
    host.write(join(place.directory, 'x.txt'), 'x\n');
    const { changes, keptIn, leftOut } = await place.finish('completed');
    expect(filesOf(changes!.head)).toContain('x.txt');
    expect({ keptIn, leftOut }).toEqual({ keptIn: place.directory, leftOut: ['.git/'] });
    expect(marks()).toEqual([]);
  });
});

describe('Names of files', () => {
  test('may be anything: they come back as they were', async () => {
    const names = [
      ...['-rf', '--all', ':(exclude)readme.txt', ':!x', '*', '?', '"quoted"', "it's", 'a b '],
      ...['new\nline', 'tab\there', 'back\\slash', 'é中🙂', '#hash', '$(touch x)', '`x`', ' -> '],
    ];
    const place = await makePlace();
    for (const name of names) host.write(join(place.directory, 'names', name), name);
    writeFileSync(Buffer.from(`${place.directory}/names/latin-\xe9`, 'latin1'), 'x');
    const { changes, leftOut } = await place.finish('completed');
    expect(leftOut).toEqual([]);
    const added = filesOf(changes!.head).filter((name) => name.startsWith('names/'));
    expect(added.sort()).toEqual(
      [...names.map((name) => `names/${name}`), 'names/latin-\ufffd'].sort(),
    );
  });

  test('that git does not take do not keep the others out of the branch', async () => {
    const place = await makePlace();
    host.write(join(place.directory, 'git~1'), 'odd\n');
    host.write(join(place.directory, 'plain.txt'), 'plain\n');
    const { changes, keptIn, leftOut } = await place.finish('completed');
    expect(filesOf(changes!.head)).toContain('plain.txt');
    expect({ keptIn, leftOut }).toEqual({ keptIn: place.directory, leftOut: ['git~1'] });
  });
});

describe('What git cannot keep well is left out, named, and its folder kept', () => {
  test('a nested repository, with commits or without', async () => {
    const place = await makePlace();
    for (const name of ['full', 'empty']) {
      const nested = join(place.directory, name);
      mkdirSync(nested);
      host.git(nested, 'init', '--quiet');
      host.write(join(nested, 'file.txt'), 'in it\n');
    }
    host.git(join(place.directory, 'full'), 'add', '.');
    host.git(join(place.directory, 'full'), 'commit', '--quiet', '-m', 'x');
    host.write(join(place.directory, 'beside.txt'), 'beside\n');
    const result = await place.finish('completed');
    expect(result).toMatchObject({
      keptIn: place.directory,
      leftOut: ['empty/', 'full/'],
      leftOutCount: 2,
    });
    expect(filesOf(result.changes!.head)).toEqual([
      '.gitignore',
      'beside.txt',
      'readme.txt',
      'src/a.txt',
    ]);
    expect(existsSync(join(place.directory, 'full', 'file.txt'))).toBe(true);
    // The kept folder does not hold on to the branch.
    host.git(host.repository, 'checkout', '--quiet', result.changes!.branch);
  });

  test('a submodule that the agent has fetched and worked in', async () => {
    host.git(host.root, 'clone', '--quiet', 'app', 'library');
    const allow = ['-c', 'protocol.file.allow=always'];
    host.git(
      host.repository,
      ...allow,
      'submodule',
      '--quiet',
      'add',
      join(host.root, 'library'),
      'lib',
    );
    host.git(host.repository, 'commit', '--quiet', '-m', 'lib');
    const place = await makePlace();
    host.git(place.directory, ...allow, 'submodule', '--quiet', 'update', '--init');
    host.write(join(place.directory, 'lib', 'x.txt'), 'x\n');
    host.git(join(place.directory, 'lib'), 'add', '.');
    host.git(join(place.directory, 'lib'), 'commit', '--quiet', '-m', 'in the submodule');
    expect(await place.finish('completed')).toMatchObject({
      ...{ changes: null, keptIn: place.directory, leftOut: ['lib'] },
    });
  });

  test('a file above the limit', async () => {
    const place = await makePlace();
    host.write(join(place.directory, 'huge.bin'), '');
    truncateSync(join(place.directory, 'huge.bin'), limits.workFileBytesMax + 1);
    host.write(join(place.directory, 'small.txt'), 'small\n');
    const result = await place.finish('completed');
    expect(result).toMatchObject({ keptIn: place.directory, leftOut: ['huge.bin'] });
    expect(filesOf(result.changes!.head)).toEqual([
      '.gitignore',
      'readme.txt',
      'small.txt',
      'src/a.txt',
    ]);
  });

  test('of many only the first are named, and all counted', async () => {
    const place = await makePlace();
    const count = limits.workLeftOutNamesMax + 5;
    for (let n = 0; n < count; n += 1) {
      const file = join(place.directory, `huge-${n}`);
      host.write(file, '');
      truncateSync(file, limits.workFileBytesMax + 1);
    }
    const { leftOut, leftOutCount } = await place.finish('completed');
    expect([leftOut.length, leftOutCount]).toEqual([limits.workLeftOutNamesMax, count]);
  });
});

describe('Whatever the agent did to its worktree', () => {
  test('a link in place of a folder is kept as a link, and not followed', async () => {
    const place = await makePlace();
    host.write(join(host.home, 'secret', 'a.txt'), 'secret\n');
    rmSync(join(place.directory, 'src'), { recursive: true });
    symlinkSync(join(host.home, 'secret'), join(place.directory, 'src'));
    const { changes } = await place.finish('completed');
    expect(filesOf(changes!.head)).toEqual(['.gitignore', 'readme.txt', 'src']);
    expect(changes!.diff).not.toContain('+secret\n');
    expect(existsSync(join(host.home, 'secret', 'a.txt'))).toBe(true);
  });

  test('a link in place of the whole worktree is not followed either', async () => {
    const place = await makePlace();
    host.write(join(host.home, 'secret', 'a.txt'), 'secret\n');
    rmSync(place.directory, { recursive: true });
    symlinkSync(join(host.home, 'secret'), place.directory);
    expect((await place.finish('completed')).changes).toBeNull();
    expect(existsSync(join(host.home, 'secret', 'a.txt'))).toBe(true);
    expect(existsSync(place.directory)).toBe(false);
  });

  test('its commits are saved when it removed the folder, or had git remove the worktree', async () => {
    for (const how of ['folder', 'worktree'] as const) {
      const place = await makePlace();
      host.write(join(place.directory, 'x.txt'), 'x\n');
      host.git(place.directory, 'add', '.');
      host.git(place.directory, 'commit', '--quiet', '-m', 'x');
      if (how === 'folder') rmSync(place.directory, { recursive: true });
      else host.git(host.repository, 'worktree', 'remove', place.directory);
      const { changes, keptIn } = await place.finish('completed');
      expect({ files: filesOf(changes!.head), keptIn }).toEqual({
        ...{ files: ['.gitignore', 'readme.txt', 'src/a.txt', 'x.txt'], keptIn: null },
      });
    }
  });

  test('files that git knows no more of are kept where they are', async () => {
    const place = await makePlace();
    host.write(join(place.directory, 'x.txt'), 'x\n');
    const aside = `${place.directory}-aside`;
    renameSync(place.directory, aside);
    host.git(host.repository, 'worktree', 'prune', '--expire=now');
    renameSync(aside, place.directory);
    expect(await place.finish('completed')).toMatchObject({
      keptIn: place.directory,
      leftOut: ['./'],
    });
    expect(existsSync(join(place.directory, 'x.txt'))).toBe(true);
  });

  test('its work is saved from another branch, and from none', async () => {
    for (const how of [['-b', 'other'], ['--detach']]) {
      const place = await makePlace();
      host.git(place.directory, 'checkout', '--quiet', ...how);
      host.write(join(place.directory, 'x.txt'), 'x\n');
      host.git(place.directory, 'add', '.');
      host.git(place.directory, 'commit', '--quiet', '-m', 'committed');
      host.write(join(place.directory, 'y.txt'), 'y\n');
      const { changes } = await place.finish('completed');
      expect(filesOf(changes!.branch)).toEqual([
        '.gitignore',
        'readme.txt',
        'src/a.txt',
        'x.txt',
        'y.txt',
      ]);
    }
  });

  test('commits that a half-done rebase has left behind stay below the branch', async () => {
    const place = await makePlace();
    const commit = (text: string) => {
      host.write(join(place.directory, 'readme.txt'), text);
      host.git(place.directory, 'commit', '--quiet', '-a', '-m', text.trim());
    };
    host.git(place.directory, 'branch', 'start');
    commit('ours\n');
    const ours = host.git(place.directory, 'rev-parse', 'HEAD').trim();
    host.git(place.directory, 'checkout', '--quiet', '-b', 'theirs', 'start');
    commit('theirs\n');
    host.failingGit(place.directory, 'rebase', 'theirs', ours);
    host.git(place.directory, 'branch', '-D', 'start');
    const { changes, leftOut } = await place.finish('failed');
    expect(leftOut).toEqual([]);
    expect(host.git(host.repository, 'log', '--format=%H', changes!.head)).toContain(ours);
    expect(host.git(host.repository, 'show', `${changes!.head}:readme.txt`)).toContain('<<<<<<<');
  });

  test('a commit it only looked at does not take the place of its work', async () => {
    const place = await makePlace();
    host.write(join(place.directory, 'x.txt'), 'x\n');
    host.git(place.directory, 'add', '.');
    host.git(place.directory, 'commit', '--quiet', '-m', 'x');
    host.git(place.directory, 'checkout', '--quiet', 'HEAD~1');
    expect(filesOf((await place.finish('completed')).changes!.head)).toContain('x.txt');
  });

  test('locks that its killed git left in the worktree are no hindrance', async () => {
    const place = await makePlace();
    const administration = host.git(place.directory, 'rev-parse', '--absolute-git-dir').trim();
    host.write(join(administration, 'index.lock'), '');
    host.write(join(administration, 'HEAD.lock'), '');
    host.write(join(place.directory, 'x.txt'), 'x\n');
    const { changes, leftOut } = await place.finish('completed');
    expect([changes!.filesChanged, leftOut]).toEqual([1, []]);
  });

  test('the branch is made anew when it deleted it', async () => {
    const place = await makePlace();
    const branch = host.git(place.directory, 'branch', '--show-current').trim();
    host.git(place.directory, 'checkout', '--quiet', '--detach');
    host.git(place.directory, 'branch', '-D', branch);
    host.write(join(place.directory, 'x.txt'), 'x\n');
    expect((await place.finish('completed')).changes).toMatchObject({ branch, filesChanged: 1 });
    expect(filesOf(branch)).toContain('x.txt');
  });

  test("the person's checkout is as it was", async () => {
    const before = snapshotOf(host.repository, ofAttempts);
    const place = await makePlace();
    host.git(place.directory, 'worktree', 'lock', place.directory);
    host.write(join(place.directory, 'x.txt'), 'x\n');
    await place.finish('completed');
    expect(snapshotOf(host.repository, ofAttempts)).toEqual(before);
    expect(host.git(host.repository, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });
});
