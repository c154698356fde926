import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
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

const placeIn = async (directory: string) => prepare(order({ directory }), host.rules);

describe('A task that names a directory', () => {
  test('is worked on there, and nothing there is touched by the end of its attempt', async () => {
    const before = snapshotOf(host.root);
    const place = await placeIn(join(host.root, 'app'));
    expect(place.directory).toBe(join(host.root, 'app'));
    expect(await place.finish('completed')).toMatchObject({ changes: null, keptIn: null });
    expect(snapshotOf(host.root)).toEqual(before);
  });

  test('may name an allowed root itself, and get there by a link', async () => {
    expect((await placeIn(host.root)).directory).toBe(host.root);
    symlinkSync(host.repository, join(host.home, 'short'));
    expect((await placeIn(join(host.home, 'short'))).directory).toBe(host.repository);
  });

  test('is refused outside of the allowed roots, and says which these are', async () => {
    await expect(placeIn('/')).rejects.toMatchObject({ retryable: false });
    await expect(placeIn(host.home)).rejects.toThrow(host.root);
    mkdirSync(`${host.root}-not`);
    await expect(placeIn(`${host.root}-not`)).rejects.toThrow('is not in a folder in which agents');
  });

  test('does not get out by "..", nor by a link', async () => {
    mkdirSync(join(host.home, 'secret'));
    symlinkSync(join(host.home, 'secret'), join(host.root, 'link'));
    for (const path of [`${host.root}/../secret`, `${host.root}/link`, `${host.root}/link/..`]) {
      await expect(placeIn(path)).rejects.toMatchObject({
        name: 'WorkPlaceError',
        message: expect.stringContaining('once links are followed') as string,
      });
    }
  });

  test('is refused when the directory is missing, a file, or relative; it is never made', async () => {
    await expect(placeIn(join(host.root, 'gone'))).rejects.toThrow('is not there on the host');
    expect(existsSync(join(host.root, 'gone'))).toBe(false);
    await expect(placeIn(join(host.repository, 'readme.txt'))).rejects.toThrow('is no folder');
    await expect(placeIn('projects')).rejects.toThrow('not an absolute path');
    await expect(placeIn('')).rejects.toThrow('not an absolute path');
    await expect(placeIn(`${host.root}\0`)).rejects.toThrow('is not there');
  });

  test("is refused in the worker's own work places, whatever the roots", async () => {
    const rules = { ...host.rules, roots: ['/'] };
    const other = await prepare(order({}), rules);
    await expect(prepare(order({ directory: other.directory }), rules)).rejects.toThrow(
      "worker's own work places",
    );
    expect((await prepare(order({ directory: host.root }), rules)).directory).toBe(host.root);
  });

  test('is refused with its own sentence by a worker without roots', async () => {
    const rules = { ...host.rules, roots: [] };
    await expect(prepare(order({ directory: host.root }), rules)).rejects.toThrow(
      'this worker has no folders in which agents may work',
    );
  });

  test('names no repository and no ref beside it', async () => {
    const directory = host.root;
    await expect(
      prepare(order({ directory, repository: host.repository }), host.rules),
    ).rejects.toThrow('one of them');
    await expect(prepare(order({ directory, ref: 'main' }), host.rules)).rejects.toThrow(
      'no repository',
    );
  });
});

describe('A task that names no place', () => {
  test('is worked on in an empty folder that only its owner enters', async () => {
    const place = await prepare(order({ attemptId: 'a1' }), host.rules);
    expect(place.directory).toBe(join(host.rules.folder, 'attempts', 'a1'));
    expect(readdirSync(place.directory)).toEqual([]);
    expect(statSync(place.directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(host.rules.folder, 'attempts')).mode & 0o777).toBe(0o700);
  });

  test('leaves nothing when nothing was left in it', async () => {
    const place = await prepare(order({}), host.rules);
    expect(await place.finish('completed')).toMatchObject({ keptIn: null });
    expect(existsSync(place.directory)).toBe(false);
    expect(readdirSync(join(host.rules.folder, 'records'))).toEqual([]);
  });

  test('has its folder kept when something was left in it, and says so', async () => {
    const place = await prepare(order({}), host.rules);
    host.write(join(place.directory, 'answer.txt'), '42');
    const result = await place.finish('failed');
    expect(result).toMatchObject({ keptIn: place.directory, leftOut: ['answer.txt'] });
    expect(readdirSync(place.directory)).toEqual(['answer.txt']);
  });

  test('is not asked what it left where the agent has put a link in its place', async () => {
    const place = await prepare(order({}), host.rules);
    rmSync(place.directory, { recursive: true });
    symlinkSync(host.repository, place.directory);
    expect(await place.finish('completed')).toMatchObject({ keptIn: null, leftOut: [] });
    expect([existsSync(place.directory), existsSync(host.repository)]).toEqual([false, true]);
  });

  test.each(['../../escape', '/abs', 'a/b', '.', '..', '-x', 'a\nb', 'x'.repeat(200)])(
    'is not led elsewhere by the id %j of its attempt',
    async (attemptId) => {
      const place = await prepare(order({ attemptId }), host.rules);
      expect(place.directory).toMatch(/\/work\/attempts\/id-[0-9a-f]{32}$/);
    },
  );

  test('has one place per attempt', async () => {
    const same = order({});
    await prepare(same, host.rules);
    await expect(prepare(same, host.rules)).rejects.toMatchObject({ retryable: true });
  });

  test('has a real path also where the folder of work places is reached by a link', async () => {
    mkdirSync(join(host.home, 'disk'));
    symlinkSync(join(host.home, 'disk'), join(host.home, 'linked'));
    const rules = { ...host.rules, folder: join(host.home, 'linked', 'work') };
    const place = await prepare(order({ repository: host.repository }), rules);
    expect(place.directory.startsWith(join(host.home, 'disk'))).toBe(true);
    host.write(join(place.directory, 'new.txt'), 'new\n');
    expect((await place.finish('completed')).changes).toMatchObject({ filesChanged: 1 });
  });
});
