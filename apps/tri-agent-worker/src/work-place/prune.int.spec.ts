import { existsSync, readdirSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { prune } from './prune.js';
import { changeRecord, makeRecord } from './records.js';
import { prepare, type WorkPlace } from './work-place.js';
import { makeHost, ofAttempts, order, snapshotOf, type Host } from './work-place.spec-helper.js';

let host: Host;
beforeEach(() => {
  host = makeHost();
});
afterEach(() => {
  host.remove();
});

const placeOf = async (
  attemptId: string,
  repository: string | null = host.repository,
): Promise<WorkPlace> => prepare(order({ taskId: 't', attemptId, repository }), host.rules);
const records = () => readdirSync(join(host.rules.folder, 'records'));
const branches = () =>
  host.git(host.repository, 'branch', '--list', '--format=%(refname:short)', 'tri-agent/*');
/** Nothing is carried on. */
const ended = () => Promise.resolve(false);
const nothing = { recovered: [], removed: [], faults: [] };

describe('What a crash has left', () => {
  test('is saved on its branch and taken away, once', async () => {
    const before = snapshotOf(host.repository, ofAttempts);
    const place = await placeOf('a');
    host.write(join(place.directory, 'x.txt'), 'x\n');
    const { recovered, faults } = await prune(host.rules, new Set(), ended);
    expect(faults).toEqual([]);
    expect(recovered).toEqual([
      expect.objectContaining({
        ...{ taskId: 't', attemptId: 'a' },
        result: expect.objectContaining({ keptIn: null, leftOut: [] }) as unknown,
      }),
    ]);
    expect(host.git(host.repository, 'show', 'tri-agent/t/a:x.txt')).toBe('x\n');
    expect([existsSync(place.directory), records()]).toEqual([false, []]);
    expect(snapshotOf(host.repository, ofAttempts)).toEqual(before);
    expect(await prune(host.rules, new Set(), ended)).toEqual(nothing);
  });

  test('is left alone where its attempt runs', async () => {
    const place = await placeOf('a');
    host.write(join(place.directory, 'x.txt'), 'x\n');
    expect(await prune(host.rules, new Set(['a']), ended)).toEqual(nothing);
    expect((await place.finish('completed')).changes).toMatchObject({ filesChanged: 1 });
  });

  test('between the record and the worktree leaves nothing, whichever step came last', async () => {
    const base = host.git(host.repository, 'rev-parse', 'HEAD').trim();
    const git = join(host.repository, '.git');
    for (const step of ['record', 'branch', 'worktree']) {
      const directory = join(host.rules.folder, 'attempts', step);
      const branch = `tri-agent/t/${step}`;
      const worktree = { repository: git, branch, base, administration: null };
      await makeRecord(host.rules, {
        taskId: 't',
        attemptId: step,
        directory,
        worktree,
        endedAt: null,
      });
      if (step !== 'record') host.git(host.repository, 'branch', branch);
      if (step === 'worktree')
        host.git(host.repository, 'worktree', 'add', '--quiet', directory, branch);
    }
    const { recovered, faults } = await prune(host.rules, new Set(), ended);
    expect([recovered.map(({ result }) => result.changes), faults]).toEqual([
      [null, null, null],
      [],
    ]);
    expect([branches(), records()]).toEqual(['', []]);
    expect(host.git(host.repository, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });

  test('that cannot be saved is told, stays where it is, and keeps nothing else from being saved', async () => {
    const place = await placeOf('a');
    host.write(join(place.directory, 'x.txt'), 'x\n');
    const other = await placeOf('b', null);
    const objects = join(host.repository, '.git', 'objects');
    rmSync(objects, { recursive: true });
    const { recovered, faults } = await prune(host.rules, new Set(), ended);
    expect(recovered.map(({ attemptId }) => attemptId)).toEqual(['b']);
    expect(faults).toEqual([expect.stringContaining('could not be saved and is left there')]);
    expect([existsSync(join(place.directory, 'x.txt')), existsSync(other.directory)]).toEqual([
      true,
      false,
    ]);
  });

  test('with a record that cannot be read is told and left alone', async () => {
    const place = await placeOf('a');
    truncateSync(join(host.rules.folder, 'records', 'a.json'), 10);
    const { faults } = await prune(host.rules, new Set(), ended);
    expect(faults).toEqual([expect.stringContaining('a.json is damaged')]);
    expect(existsSync(place.directory)).toBe(true);
  });

  test('before anything was is nothing', async () => {
    expect(await prune(host.rules, new Set(), ended)).toEqual(nothing);
  });
});

describe('Folders that were kept', () => {
  const keep = async (attemptId: string, endedAt: string) => {
    const place = await placeOf(attemptId, null);
    host.write(join(place.directory, 'answer.txt'), '42\n');
    await place.finish('completed');
    const { directory } = place;
    const record = { taskId: 't', attemptId, directory, worktree: null, endedAt };
    await changeRecord(host.rules, record);
    return directory;
  };
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

  test('are taken away when they are old, by when their attempt ended', async () => {
    const old = await keep('old', ago(limits.workPlaceKeptMs + 60_000));
    const young = await keep('young', ago(limits.workPlaceKeptMs - 60_000));
    utimesSync(young, new Date(0), new Date(0));
    expect(await prune(host.rules, new Set(), ended)).toEqual({ ...nothing, removed: [old] });
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
    expect(records()).toEqual(['young.json']);
  });

  test('are taken away when they are too many, the oldest first', async () => {
    const folders = [];
    for (const n of [1, 2, 3, 4]) folders.push(await keep(`a${n}`, ago(10_000 - n)));
    const { removed } = await prune({ ...host.rules, keptMax: 2 }, new Set(), ended);
    expect([...removed].sort()).toEqual(folders.slice(0, 2));
  });

  test('go with what the repository knows of them, but not with their branch', async () => {
    const place = await placeOf('a');
    host.write(join(place.directory, 'x.txt'), 'x\n');
    host.write(join(place.directory, 'huge.bin'), '');
    truncateSync(join(place.directory, 'huge.bin'), limits.workFileBytesMax + 1);
    expect(await place.finish('completed')).toMatchObject({ keptIn: place.directory });
    expect(await prune(host.rules, new Set(), ended)).toEqual(nothing);
    expect((await prune({ ...host.rules, keptMax: 0 }, new Set(), ended)).removed).toEqual([
      place.directory,
    ]);
    expect(branches()).toBe('tri-agent/t/a\n');
    expect(host.git(host.repository, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });
});
