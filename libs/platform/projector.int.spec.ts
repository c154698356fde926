import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { ListLog } from './list-log.specification.js';
import { projectionLags } from './projection-lag.js';
import type { Projection } from './projection.js';
import { recorded } from './projection.specification.js';
import { Projector } from './projector.js';
import { ReadModels } from './read-models.js';

const started = (position: number): RecordedDomainEvent =>
  recorded(
    position,
    'SessionStarted',
    { sessionId: `s${position}`, agent: 'codex', startType: 'fresh' },
    '2026-11-20T10:00:00.000Z',
  );

/** Keeps the position of everything it was given. */
function seen(name: string, version = 1): Projection {
  return {
    name,
    version,
    tables: [name],
    schema: `CREATE TABLE ${name} (position INTEGER NOT NULL) STRICT`,
    prepare: (db) => {
      const insert = db.prepare(`INSERT INTO ${name} VALUES (?)`);
      return (event) => insert.run(event.position);
    },
  };
}

let home: string;
let log: ListLog;
let reports: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'projector-'));
  log = new ListLog();
  reports = [];
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const file = () => join(home, 'read-models.db');

async function open(...projections: Projection[]): Promise<Projector> {
  const report = (sentence: string) => reports.push(sentence);
  const projector = await Projector.open({ home, log, projections, report });
  if (projector === undefined) throw new Error('another projector runs');
  return projector;
}

/** Runs until everything in the log is applied. */
async function catchUp(...projections: Projection[]): Promise<void> {
  const projector = await open(...projections);
  const stop = new AbortController();
  const running = projector.run(stop.signal);
  for (let all = false; !all;) {
    await new Promise(setImmediate);
    const { position, head } = await projector.progress();
    all = position === head;
  }
  stop.abort();
  await running;
  projector.close();
}

function positionsIn(projection: Projection): bigint[] {
  const models = new ReadModels(file());
  const sql = `SELECT position FROM ${projection.name}`;
  const rows = models.read(projection, (prepare) => prepare<[], { position: bigint }>(sql).all());
  models.close();
  return rows.map((it) => it.position);
}

describe('A projector', () => {
  test('applies every event once, over restarts', async () => {
    log.add(started(1), started(2));
    await catchUp(seen('a'));
    log.add(started(3));
    await catchUp(seen('a'));
    expect(positionsIn(seen('a'))).toEqual([1n, 2n, 3n]);
    expect(reports).toEqual([]);
  });

  test('goes on with events that come while it runs', async () => {
    const projector = await open(seen('a'));
    const stop = new AbortController();
    const running = projector.run(stop.signal);
    log.add(started(1));
    while ((await projector.progress()).position < 1n) await new Promise(setImmediate);
    stop.abort();
    await running;
    projector.close();
    expect(positionsIn(seen('a'))).toEqual([1n]);
  });

  test('brings a new projection up from the beginning and repeats nothing to the others', async () => {
    log.add(started(1), started(2));
    await catchUp(seen('a'));
    await catchUp(seen('a'), seen('b'));
    expect(positionsIn(seen('a'))).toEqual([1n, 2n]);
    expect(positionsIn(seen('b'))).toEqual([1n, 2n]);
  });

  test('rebuilds a projection whose version is another', async () => {
    log.add(started(1));
    await catchUp(seen('a', 1), seen('b'));
    await catchUp(seen('a', 2), seen('b'));
    expect(positionsIn(seen('a', 2))).toEqual([1n]);
    expect(positionsIn(seen('b'))).toEqual([1n]);
    expect(reports).toEqual([expect.stringMatching('"a" is rebuilt.*version 1.*version 2')]);
  });

  test('rebuilds when the log was replaced by a shorter one', async () => {
    log.add(started(1), started(2));
    await catchUp(seen('a'));
    log = new ListLog();
    log.add(started(1));
    await catchUp(seen('a'));
    expect(positionsIn(seen('a'))).toEqual([1n]);
    expect(reports).toEqual([expect.stringMatching('ahead of the log')]);
  });

  test.each([
    [
      'is not a database',
      () => {
        writeFileSync(file(), 'read me'.repeat(1_000));
      },
    ],
    [
      'is the database of another program',
      () => {
        const other = new Database(file());
        other.exec('CREATE TABLE songs (title TEXT)');
        other.close();
      },
    ],
    [
      'is damaged',
      () => {
        const db = new Database(file());
        db.pragma('application_id = 0x54524941');
        db.exec('CREATE TABLE t (x)');
        db.close();
        const bytes = readFileSync(file());
        bytes.fill(0xff, 4_096);
        writeFileSync(file(), bytes);
      },
    ],
  ])('replaces a file that %s', async (fault, spoil) => {
    spoil();
    log.add(started(1));
    await catchUp(seen('a'));
    expect(positionsIn(seen('a'))).toEqual([1n]);
    expect(reports).toEqual([expect.stringContaining(fault)]);
  });

  test('applies nothing of a batch in which a projection throws, and says so', async () => {
    const broken: Projection = {
      ...seen('b'),
      prepare: () => (event) => {
        if (event.position === 2n) throw new Error('a bug');
      },
    };
    log.add(started(1), started(2));
    const projector = await open(seen('a'), broken);
    await expect(projector.run(new AbortController().signal)).rejects.toThrow('a bug');
    projector.close();
    const db = new Database(file(), { readonly: true });
    expect(db.prepare('SELECT count(*) FROM a').pluck().get()).toBe(0);
    expect(db.prepare('SELECT DISTINCT position FROM projections').pluck().all()).toEqual([0]);
    db.close();
  });

  test('waits while the disk is full, and then goes on by itself', async () => {
    let db!: Parameters<Projection['prepare']>[0];
    const model: Projection = {
      ...seen('a'),
      prepare: (connection) => {
        db = connection;
        return seen('a').prepare(connection);
      },
    };
    const projector = await open(model);
    db.pragma(`max_page_count = ${String(db.pragma('page_count', { simple: true }))}`);
    log.add(...Array.from({ length: 5_000 }, (_, index) => started(index + 1)));
    const stop = new AbortController();
    const running = projector.run(stop.signal);
    const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(() => reports.length > 0);
    expect(reports).toEqual([expect.stringMatching(/cannot be written now.*make room/)]);
    db.pragma('max_page_count = 1000000');
    await until(async () => (await projector.progress()).position === 5_000n);
    stop.abort();
    await running;
    projector.close();
    expect(reports).toHaveLength(1);
  });

  test('is alone on its data folder', async () => {
    const options = { home, log, projections: [], report: () => undefined };
    const first = await Projector.open(options);
    expect(await Projector.open(options)).toBeUndefined();
    first?.close();
    const next = await Projector.open(options);
    expect(next).toBeDefined();
    next?.close();
  });
});

function refusalOf(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    return error;
  }
}

describe('A reader of read models', () => {
  const count = (models: ReadModels, projection: Projection) =>
    models.read(projection, (prepare) => prepare<[], object>('SELECT * FROM a').all().length);

  test('is told to wait before the first build, with the progress after that', async () => {
    const models = new ReadModels(file());
    const attempt = () => count(models, seen('a'));
    expect(refusalOf(attempt)).toMatchObject({ code: 'READ_MODEL_BUILDING' });
    log.add(started(1), started(2));
    const projector = await open(seen('a'));
    expect(refusalOf(attempt)).toMatchObject({
      code: 'READ_MODEL_BUILDING',
      details: { readModel: 'a', position: '0', target: '2', percent: 0 },
    });
    projector.close();
    await catchUp(seen('a'));
    expect(attempt()).toBe(2);
    models.close();
  });

  test('is told to wait while the model on disk is of another version', async () => {
    await catchUp(seen('a'));
    const models = new ReadModels(file());
    expect(() => count(models, seen('a', 2))).toThrow('not been built yet');
    models.close();
  });

  test('goes over to the file that replaced a damaged one', async () => {
    log.add(started(1));
    await catchUp(seen('a'));
    const models = new ReadModels(file());
    expect(count(models, seen('a'))).toBe(1);
    rmSync(file());
    log.add(started(2));
    await catchUp(seen('a'));
    expect(count(models, seen('a'))).toBe(2);
    models.close();
  });

  test('cannot write', async () => {
    await catchUp(seen('a'));
    const models = new ReadModels(file());
    expect(() => {
      models.read(seen('a'), (prepare) => prepare<[], object>('DELETE FROM a').run());
    }).toThrow('readonly');
    models.close();
  });

  test('sees how far each projection is behind the log', async () => {
    const models = new ReadModels(file());
    const now = Date.parse('2026-11-20T10:00:07.000Z');
    expect(await projectionLags(log, models, now)).toEqual([]);
    log.add(started(1));
    await catchUp(seen('a'));
    const upToDate = { projection: 'a', positions: 0n, milliseconds: 0 };
    expect(await projectionLags(log, models, now)).toEqual([upToDate]);
    log.add(started(2), started(3));
    const behind = { projection: 'a', positions: 2n, milliseconds: 7_000 };
    expect(await projectionLags(log, models, now)).toEqual([behind]);
    models.close();
  });
});
