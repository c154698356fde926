import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { prepare } from './work-place.js';
import { makeHost, order, snapshotOf, type Host } from './work-place.spec-helper.js';

let host: Host;
let daemon: ChildProcess;
let port: number;
let url: string;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

/** Serves what lies in the person's folder of projects, as git:// on loopback. */
async function serve(): Promise<void> {
  const folder = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim();
  const options = [
    '--verbose',
    '--reuseaddr',
    '--export-all',
    '--listen=127.0.0.1',
    `--port=${port}`,
  ];
  daemon = spawn(join(folder, 'git-daemon'), [...options, `--base-path=${host.root}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  await new Promise<void>((resolve) => {
    daemon.stderr!.on('data', (part: Buffer) => {
      told += part.toString();
      if (told.includes('Ready to rumble')) resolve();
    });
  });
}

async function stopServing(): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
}

beforeEach(async () => {
  host = makeHost();
  port = await freePort();
  url = `git://127.0.0.1:${port}/app`;
  await serve();
});
afterEach(async () => {
  await stopServing();
  host.remove();
});

const placeFor = async (ref: string | null = null) =>
  prepare(order({ repository: url, ref }), { ...host.rules, roots: [] });
const mirrors = () => readdirSync(join(host.rules.folder, 'mirrors'));
const commitFile = (name: string) => {
  host.write(join(host.repository, name), `${name}\n`);
  host.git(host.repository, 'add', '.');
  host.git(host.repository, 'commit', '--quiet', '-m', name);
};
const has = (place: { readonly directory: string }, name: string) =>
  existsSync(join(place.directory, name));

describe('A task that names the URL of a repository', () => {
  test('is worked on in a worktree of a mirror, and its branch stays there', async () => {
    const before = snapshotOf(host.repository);
    const place = await placeFor();
    host.write(join(place.directory, 'x.txt'), 'x\n');
    const { changes } = await place.finish('completed');
    expect(changes).toMatchObject({
      repository: join(host.rules.folder, 'mirrors', mirrors()[0]!),
      filesChanged: 1,
    });
    host.git(host.repository, 'fetch', '--quiet', changes!.repository, changes!.branch);
    expect(host.git(host.repository, 'show', 'FETCH_HEAD:x.txt')).toBe('x\n');
    rmSync(join(host.repository, '.git', 'FETCH_HEAD'));
    expect(snapshotOf(host.repository, ['.git/objects'])).toEqual(
      before.filter((entry) => !entry.startsWith('.git/objects')),
    );
  });

  test('begins from what the other side holds now: its HEAD, its branches, its tags, its commits', async () => {
    await placeFor();
    commitFile('second.txt');
    host.git(host.repository, 'tag', '-a', '-m', 'tag', 'v2');
    const second = host.git(host.repository, 'rev-parse', 'HEAD').trim();
    host.git(host.repository, 'checkout', '--quiet', '-b', 'feature/one');
    commitFile('third.txt');
    expect([
      has(await placeFor('v2'), 'second.txt'),
      has(await placeFor(second), 'second.txt'),
    ]).toEqual([true, true]);
    for (const ref of [null, 'HEAD', 'feature/one', 'origin/feature/one']) {
      expect(has(await placeFor(ref), 'third.txt')).toBe(true);
    }
    const main = await placeFor('main');
    expect([has(main, 'second.txt'), has(main, 'third.txt')]).toEqual([true, false]);
    expect(mirrors()).toHaveLength(1);
  });

  test('does not find what the other side has deleted, while branches of attempts stay', async () => {
    host.git(host.repository, 'branch', 'short-lived');
    const place = await placeFor('short-lived');
    host.write(join(place.directory, 'x.txt'), 'x\n');
    const { changes } = await place.finish('completed');
    host.git(host.repository, 'branch', '-D', 'short-lived');
    await expect(placeFor('short-lived')).rejects.toMatchObject({ retryable: false });
    expect(has(await placeFor(changes!.branch), 'x.txt')).toBe(true);
  });

  test('eight at a time share one mirror and do not meet', async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const place = await placeFor();
        host.write(join(place.directory, 'x.txt'), `${index}\n`);
        return place.finish('completed');
      }),
    );
    expect(mirrors()).toHaveLength(1);
    const texts = results.map(({ changes }) =>
      host.git(changes!.repository, 'show', `${changes!.branch}:x.txt`),
    );
    expect(texts).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n', '5\n', '6\n', '7\n']);
  });
});

describe('The other side', () => {
  test('can be tried again when nobody answers', async () => {
    await stopServing();
    await expect(placeFor()).rejects.toMatchObject({
      ...{ name: 'WorkPlaceError', retryable: true },
      message: expect.stringContaining('cannot be fetched') as string,
    });
    expect(mirrors()).toEqual([]);
    await serve();
    expect(has(await placeFor(), 'readme.txt')).toBe(true);
  });

  test('is not tried again when it has no such repository, or none with a commit', async () => {
    url = `git://127.0.0.1:${port}/gone`;
    await expect(placeFor()).rejects.toMatchObject({
      ...{ retryable: false },
      message: expect.stringContaining('is not there, or does not let') as string,
    });
    mkdirSync(join(host.root, 'empty'));
    host.git(join(host.root, 'empty'), 'init', '--quiet');
    url = `git://127.0.0.1:${port}/empty`;
    await expect(placeFor()).rejects.toMatchObject({
      ...{ retryable: false },
      message: expect.stringContaining('no commit yet') as string,
    });
  });
});

describe('A mirror', () => {
  const damage = () => {
    const objects = join(host.rules.folder, 'mirrors', mirrors()[0]!, 'objects');
    for (const folder of readdirSync(objects)) {
      for (const file of readdirSync(join(objects, folder)))
        truncateSync(join(objects, folder, file), 0);
    }
  };

  test('that is damaged is set aside and made anew', async () => {
    await (await placeFor()).finish('completed');
    damage();
    commitFile('second.txt');
    expect(has(await placeFor(), 'second.txt')).toBe(true);
    expect(
      mirrors()
        .map((name) => name.replace(/\d+$/, '').slice(32))
        .sort(),
    ).toEqual(['', '.damaged-']);
  });

  test('that is damaged while an attempt works in it is left, and can be tried again', async () => {
    const place = await placeFor();
    damage();
    await expect(placeFor()).rejects.toMatchObject({
      ...{ retryable: true },
      message: expect.stringContaining('is damaged') as string,
    });
    host.write(join(place.directory, 'x.txt'), 'x\n');
    await expect(place.finish('completed')).rejects.toThrow('could not be saved and is left there');
    expect(has(place, 'x.txt')).toBe(true);
  });

  test('that a crash has left half made is made anew', async () => {
    await (await placeFor()).finish('completed');
    const whole = join(host.rules.folder, 'mirrors', mirrors()[0]!);
    renameSync(whole, `${whole}.new`);
    expect(has(await placeFor(), 'readme.txt')).toBe(true);
    expect(mirrors()).toHaveLength(1);
  });
});
