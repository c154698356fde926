import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListLog } from './list-log.specification.js';
import type { Projection } from './projection.js';
import { recorded } from './projection.specification.js';
import { Projector } from './projector.js';
import { ReadModels } from './read-models.js';

const started = (position: number) =>
  recorded(
    position,
    'SessionStarted',
    { sessionId: `s${position}`, agent: 'codex', startType: 'fresh' },
    '2026-11-20T10:00:00.000Z',
  );

const seen: Projection = {
  name: 'seen',
  version: 1,
  tables: ['seen'],
  schema: 'CREATE TABLE seen (position INTEGER NOT NULL) STRICT',
  prepare: (db) => {
    const insert = db.prepare('INSERT INTO seen VALUES (?)');
    return (event) => insert.run(event.position);
  },
};

describe('A projector whose read-models.db is deleted', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'projector-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  test.each([
    ['alone', ['']],
    ['with all that belongs to it', ['', '-wal', '-shm']],
  ])('builds it anew while it runs (%s)', async (_how, suffixes) => {
    const file = join(home, 'read-models.db');
    const log = new ListLog();
    log.add(started(1), started(2));
    const reports: string[] = [];
    const report = (sentence: string) => reports.push(sentence);
    const projector = (await Projector.open({ home, log, projections: [seen], report }))!;
    const stop = new AbortController();
    const running = projector.run(stop.signal);
    const reaches = async (position: bigint): Promise<void> => {
      while ((await projector.progress()).position < position) await new Promise(setImmediate);
    };
    await reaches(2n);
    const models = new ReadModels(file);
    const rows = () =>
      models.read(seen, (prepare) => prepare<[], object>('SELECT * FROM seen').all().length);
    expect(rows()).toBe(2);
    for (const suffix of suffixes) rmSync(file + suffix);
    while (reports.length === 0) await new Promise(setImmediate);
    log.add(started(3));
    await reaches(3n);
    expect(rows()).toBe(3);
    expect(reports).toEqual([expect.stringMatching('deleted while it was in use')]);
    stop.abort();
    await running;
    models.close();
    projector.close();
  });
});
