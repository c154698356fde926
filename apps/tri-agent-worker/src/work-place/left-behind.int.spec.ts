import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { prune } from './prune.js';
import { prepare, type WorkPlace } from './work-place.js';
import { makeHost, ofAttempts, order, snapshotOf, type Host } from './work-place.spec-helper.js';

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

  test('nothing is said to be saved while the repository is away', async () => {
    for (const isFolderLeft of [true, false]) {
      const place = await makePlace();
      host.write(join(place.directory, 'x.txt'), 'x\n');
      host.git(place.directory, 'add', '.');
      host.git(place.directory, 'commit', '--quiet', '-m', 'x');
      if (!isFolderLeft) rmSync(place.directory, { recursive: true });
      renameSync(host.repository, `${host.repository}-away`);
      await expect(place.finish('completed')).rejects.toThrow('is no git repository');
      expect(existsSync(place.directory)).toBe(isFolderLeft);
      renameSync(`${host.repository}-away`, host.repository);
      const { recovered } = await prune(host.rules, new Set(), () => Promise.resolve(false));
      expect(recovered.map(({ result }) => result.changes?.filesChanged)).toEqual([1]);
    }
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
