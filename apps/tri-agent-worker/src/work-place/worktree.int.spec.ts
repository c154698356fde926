import { execFile } from 'node:child_process';
import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { limits } from '#kernel/limits.js';
import { prepare, type WorkPlace } from './work-place.js';
import { makeHost, ofAttempts, order, snapshotOf, type Host } from './work-place.spec-helper.js';

let host: Host;
beforeEach(() => {
  host = makeHost();
});
afterEach(() => {
  host.remove();
});

const placeOf = async (wanted: Parameters<typeof order>[0] = {}): Promise<WorkPlace> =>
  prepare(order({ repository: host.repository, ...wanted }), host.rules);
const branches = () =>
  host
    .git(host.repository, 'for-each-ref', '--format=%(refname:short)', 'refs/heads')
    .split('\n')
    .filter(Boolean);
const worktrees = () =>
  host.git(host.repository, 'worktree', 'list', '--porcelain').match(/^worktree .*$/gm)!.length;
const showFile = (branch: string, file: string) =>
  host.git(host.repository, 'show', `${branch}:${file}`);

describe('A task that names a repository', () => {
  test('is worked on in a worktree of its own, on a new branch from HEAD', async () => {
    const ids = { taskId: 't-1', attemptId: '11111111-2222-4333-8444-555555555555' };
    const place = await placeOf(ids);
    expect(readdirSync(place.directory).sort()).toEqual([
      '.git',
      '.gitignore',
      'readme.txt',
      'src',
    ]);
    expect(host.git(place.directory, 'branch', '--show-current')).toBe(
      'tri-agent/t-1/555555555555\n',
    );
    expect(host.git(place.directory, 'status', '--porcelain')).toBe('');
    expect(branches()).toEqual(['main', 'tri-agent/t-1/555555555555']);
  });

  test('begins from the ref it names: a branch, a tag, a commit', async () => {
    const first = host.git(host.repository, 'rev-parse', 'HEAD').trim();
    host.git(host.repository, 'tag', 'v1');
    host.write(join(host.repository, 'second.txt'), '2\n');
    host.git(host.repository, 'add', '.');
    host.git(host.repository, 'commit', '--quiet', '-m', 'second');
    for (const ref of ['v1', first, 'main~1', 'refs/tags/v1']) {
      const place = await placeOf({ ref });
      expect(existsSync(join(place.directory, 'second.txt'))).toBe(false);
    }
    expect(existsSync(join((await placeOf({ ref: 'main' })).directory, 'second.txt'))).toBe(true);
  });

  test('leaves nothing behind when nothing was changed', async () => {
    const before = snapshotOf(host.repository, ['.git/objects']);
    const place = await placeOf();
    expect(await place.finish('completed')).toEqual({
      ...{ changes: null, keptIn: null, leftOut: [], leftOutCount: 0 },
    });
    expect(existsSync(place.directory)).toBe(false);
    expect(branches()).toEqual(['main']);
    expect(worktrees()).toBe(1);
    // git may keep the empty folders in which the branch and its log lay.
    const emptied = (entry: string) => /heads\/tri-agent(\/[\w-]+)? \d+$/.test(entry);
    const after = snapshotOf(host.repository, ['.git/objects']).filter((each) => !emptied(each));
    expect(after).toEqual(before);
  });

  test('comes to a branch with what was left uncommitted, but for what is ignored', async () => {
    const place = await placeOf({ taskId: 't-2', attemptId: 'a-2' });
    host.write(join(place.directory, 'readme.txt'), 'first line\nsecond line\n');
    host.write(join(place.directory, 'new', 'file.txt'), 'new\n');
    host.write(join(place.directory, 'ignored', 'big.o'), 'object');
    rmSync(join(place.directory, 'src', 'a.txt'));
    const { changes, keptIn } = await place.finish('completed');
    expect(changes).toMatchObject({
      ...{ repository: join(host.repository, '.git'), branch: 'tri-agent/t-2/a-2' },
      ...{ filesChanged: 3, insertions: 2, deletions: 1, isDiffCut: false },
      base: host.git(host.repository, 'rev-parse', 'main').trim(),
      head: host.git(host.repository, 'rev-parse', 'tri-agent/t-2/a-2').trim(),
    });
    expect(changes!.diff).toContain('+second line');
    expect(keptIn).toBeNull();
    expect(existsSync(place.directory)).toBe(false);
    expect(worktrees()).toBe(1);
    expect(showFile('tri-agent/t-2/a-2', 'new/file.txt')).toBe('new\n');
    host.failingGit(host.repository, 'show', 'tri-agent/t-2/a-2:ignored/big.o');
    expect(
      host.git(host.repository, 'log', '-1', '--format=%an <%ae> %cn %s|%b', changes!.head),
    ).toBe(
      'tri-agent <tri-agent@localhost> tri-agent tri-agent: task t-2|Attempt a-2, completed.\n\n',
    );
  });

  test("keeps the agent's own commits below, and adds none when all is committed", async () => {
    const place = await placeOf();
    host.write(join(place.directory, 'one.txt'), '1\n');
    host.git(place.directory, 'add', '.');
    host.git(place.directory, 'commit', '--quiet', '-m', "the agent's own");
    const { changes } = await place.finish('completed');
    expect(host.git(host.repository, 'log', '--format=%s', `main..${changes!.branch}`)).toBe(
      "the agent's own\n",
    );
  });

  test.each(['failed', 'given-back'] as const)(
    'loses nothing when its attempt is %s',
    async (ending) => {
      const place = await placeOf();
      host.write(join(place.directory, 'half.txt'), 'half\n');
      const { changes } = await place.finish(ending);
      expect(showFile(changes!.branch, 'half.txt')).toBe('half\n');
      expect(host.git(host.repository, 'log', '-1', '--format=%b', changes!.head)).toContain(
        ending,
      );
    },
  );

  test('tells the beginning of a long diff, whole lines, and that there is more', async () => {
    const place = await placeOf();
    host.write(join(place.directory, 'long.txt'), 'a line of some length\n'.repeat(10_000));
    const { changes } = await place.finish('completed');
    expect(changes).toMatchObject({ isDiffCut: true, insertions: 10_000 });
    expect(changes!.diff.length).toBeLessThanOrEqual(limits.workDiffBytesMax);
    expect(changes!.diff).toMatch(/\+a line of some length\n$/);
  });

  test('is finished once, whoever asks again', async () => {
    const place = await placeOf();
    host.write(join(place.directory, 'x.txt'), 'x\n');
    expect(await place.finish('completed')).toBe(await place.finish('failed'));
  });

  test('can name a bare repository, or one reached by a link', async () => {
    host.git(host.root, 'clone', '--quiet', '--bare', 'app', 'bare.git');
    symlinkSync(host.repository, join(host.root, 'link'));
    const wanted = [
      { named: 'bare.git', held: 'bare.git' },
      { named: 'link', held: 'app/.git' },
    ];
    for (const { named, held } of wanted) {
      const place = await placeOf({ repository: join(host.root, named) });
      host.write(join(place.directory, 'x.txt'), 'x\n');
      const { changes } = await place.finish('completed');
      expect(changes).toMatchObject({ repository: join(host.root, held), filesChanged: 1 });
    }
  });
});

describe("A person's checkout", () => {
  test('stays as it is, byte for byte, dirty as it may be, while attempts come and go', async () => {
    host.write(join(host.repository, 'readme.txt'), 'edited\n');
    host.write(join(host.repository, 'staged.txt'), 'staged\n');
    host.git(host.repository, 'add', 'staged.txt');
    host.write(join(host.repository, 'untracked.txt'), 'untracked\n');
    const before = snapshotOf(host.repository, ofAttempts);
    const place = await placeOf();
    expect(snapshotOf(host.repository, ofAttempts)).toEqual(before);
    expect(existsSync(join(place.directory, 'untracked.txt'))).toBe(false);
    host.write(join(place.directory, 'readme.txt'), 'by the agent\n');
    await place.finish('completed');
    expect(snapshotOf(host.repository, ofAttempts)).toEqual(before);
  });

  test('may have its index locked meanwhile', async () => {
    host.write(join(host.repository, '.git', 'index.lock'), '');
    const place = await placeOf();
    host.write(join(place.directory, 'x.txt'), 'x\n');
    expect((await place.finish('completed')).changes).toMatchObject({ filesChanged: 1 });
    expect(existsSync(join(host.repository, '.git', 'index.lock'))).toBe(true);
  });
});

describe('Eight attempts on one repository at the same time', () => {
  test('do not meet: each has its branch, its files and its result', async () => {
    const before = snapshotOf(host.repository, ofAttempts);
    const names = ['0', '1', '2', '3', '4', '5', '6', '7'];
    const results = await Promise.all(
      names.map(async (name) => {
        const place = await placeOf({ taskId: 'same', attemptId: `a${name}` });
        host.write(join(place.directory, 'readme.txt'), `by ${name}\n`);
        await promisify(execFile)('git', ['commit', '--quiet', '-a', '-m', name], {
          cwd: place.directory,
        });
        host.write(join(place.directory, 'new.txt'), `of ${name}\n`);
        return place.finish('completed');
      }),
    );
    expect(branches()).toEqual(['main', ...names.map((name) => `tri-agent/same/a${name}`)]);
    for (const [index, { changes, keptIn }] of results.entries()) {
      expect({ filesChanged: changes!.filesChanged, keptIn }).toEqual({
        filesChanged: 2,
        keptIn: null,
      });
      expect(showFile(changes!.branch, 'readme.txt')).toBe(`by ${index}\n`);
      expect(showFile(changes!.branch, 'new.txt')).toBe(`of ${index}\n`);
    }
    expect(worktrees()).toBe(1);
    expect(snapshotOf(host.repository, ofAttempts)).toEqual(before);
  });
});
