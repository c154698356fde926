import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import { prepare, type WorkPlace } from './work-place.js';
import { makeHost, order, snapshotOf, type Host } from './work-place.spec-helper.js';

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

  test('of any bytes come into the branch or are named as left out', async () => {
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x2d : byte))))
      .filter((bytes) => !['.', '..'].includes(bytes.toString()))
      .map((bytes) => bytes.toString('latin1'));
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(names, async (some) => {
        const place = await makePlace();
        for (const each of some) {
          writeFileSync(Buffer.from(`${place.directory}/src/${each}`, 'latin1'), each);
        }
        const { changes, leftOutCount } = await place.finish('completed');
        const replaced = some.includes('a.txt') ? 1 : 0;
        expect(changes!.filesChanged + leftOutCount).toBe(some.length);
        expect(filesOf(changes!.head).length).toBe(3 + some.length - replaced - leftOutCount);
      }),
      { numRuns: 10 },
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
