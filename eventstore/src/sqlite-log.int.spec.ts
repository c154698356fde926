import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { currentVersion } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { refusalOf, sessionsStarted, sessionStarted, take } from './helpers.contract.js';
import { describeLogContract } from './log.contract.js';
import { LogError } from './log.js';
import { SqliteLog } from './sqlite-log.js';
import { assertSafeSqlite } from './sqlite-schema.js';

function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'tri-agent-log-'));
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

describeLogContract('The log in SQLite', () => {
  const { folder, remove } = temporaryFolder();
  const log = SqliteLog.open(join(folder, 'events.db'));
  return { log, dispose: () => log.close().then(remove) };
});

describe('A log in SQLite', () => {
  let folder: string;
  let file: string;
  let remove: () => void;
  const opened: SqliteLog[] = [];
  const open = (options?: Parameters<typeof SqliteLog.open>[1]): SqliteLog => {
    const log = SqliteLog.open(file, options);
    opened.push(log);
    return log;
  };
  const tamper = (sql: string): void => {
    const db = new Database(file);
    db.exec(sql);
    db.close();
  };
  const openingError = (path = file, readOnly = false): LogError => {
    try {
      opened.push(SqliteLog.open(path, { readOnly }));
    } catch (error) {
      if (error instanceof LogError) return error;
      throw error;
    }
    throw new Error('It opened.');
  };

  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
    file = join(folder, 'events.db');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
    remove();
  });

  describe('after a restart', () => {
    test('knows every id, and goes on where it ended', async () => {
      const before = open();
      const events = sessionsStarted(3);
      const first = await before.append('a', 0, events);
      await before.close();
      const after = open();
      expect(await after.append('a', 0, events)).toEqual(
        first.map((event) => ({ ...event, duplicate: true })),
      );
      const [next] = await after.append('a', 3, sessionsStarted(1));
      expect(next).toMatchObject({ version: 4, position: first[2]!.position + 1n });
    });

    test('gives old data in the shape of today', async () => {
      await open().append('a', 0, sessionsStarted(1));
      const usage = { sessionId: 's-1', agent: 'codex', inputTokens: 7 };
      tamper(`UPDATE events SET type = 'UsageRecorded', schema_version = 1,
        data = '${JSON.stringify(usage)}'`);
      const data = { ...usage, cacheCreation1hTokens: null, tier: null };
      const schemaVersion = currentVersion('UsageRecorded');
      expect(await open().read('a', 0, 1)).toMatchObject([{ schemaVersion, data }]);
    });
  });

  describe('on every connection', () => {
    test.each([false, true])('syncs each commit (read-only: %s)', async (readOnly) => {
      await open().append('a', 0, sessionsStarted(1));
      let synchronous: unknown;
      open({
        readOnly,
        onConnected: (db) => (synchronous = db.pragma('synchronous', { simple: true })),
      });
      expect(synchronous).toBe(2);
    });

    test('syncs each commit of a fresh file, where SQLite would silently stop to', async () => {
      let db: Database.Database | undefined;
      const log = open({ onConnected: (connection) => (db = connection) });
      await log.append('a', 0, sessionsStarted(1));
      expect(db?.pragma('synchronous', { simple: true })).toBe(2);
      expect(db?.pragma('journal_mode', { simple: true })).toBe('wal');
    });

    test('refuses a SQLite that can lose committed events', () => {
      for (const version of ['3.51.2', '3.9.0', '2.99.9']) {
        expect(() => {
          assertSafeSqlite(version);
        }).toThrow(/SQLite .* can lose committed events/);
      }
      for (const version of ['3.51.3', '3.54.1', '4.0.0']) {
        expect(() => {
          assertSafeSqlite(version);
        }).not.toThrow();
      }
    });
  });

  test('remembers which versions of which types were ever written', async () => {
    await open().append('a', 0, sessionsStarted(2));
    const db = new Database(file);
    const schemas = db.prepare('SELECT * FROM event_schemas').all();
    db.close();
    expect(schemas).toEqual([{ type: 'SessionStarted', schema_version: 1 }]);
  });

  describe('opening refuses', () => {
    test('a log with an event type of a newer program, and names it', async () => {
      await open().append('a', 0, sessionsStarted(1));
      tamper(`INSERT INTO event_schemas VALUES ('OfTomorrow', 1)`);
      expect(openingError()).toMatchObject({ code: 'LOG_TOO_NEW' });
      expect(openingError().message).toContain('OfTomorrow');
    });

    test('a log with a newer version of a type, and names both versions', async () => {
      await open().append('a', 0, sessionsStarted(1));
      tamper(`INSERT INTO event_schemas VALUES ('SessionStarted', 9)`);
      const error = openingError();
      expect(error.code).toBe('LOG_TOO_NEW');
      expect(error.message).toMatch(/SessionStarted in version 9.*up to 1/);
    });

    test('a log with a newer layout', () => {
      open();
      tamper('PRAGMA user_version = 99');
      expect(openingError()).toMatchObject({ code: 'LOG_TOO_NEW' });
      expect(openingError().message).toContain('layout version 99');
    });

    test('a database of another program, and leaves it as it was', () => {
      const foreign = new Database(file);
      foreign.exec('CREATE TABLE theirs (x); PRAGMA application_id = 42');
      foreign.close();
      expect(openingError().message).toContain('is not a tri-agent log');
      const after = new Database(file);
      expect(after.pragma('journal_mode', { simple: true })).toBe('delete');
      expect(after.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['theirs']);
      after.close();
    });

    test('a file that is no database', () => {
      writeFileSync(file, 'Dear diary, '.repeat(500));
      const error = openingError();
      expect(error.code).toBe('LOG_UNUSABLE');
      expect(error.message).toContain('is not a tri-agent log');
    });

    test.each([
      ['a folder that is not there', 'missing/events.db', 'Create the folder'],
      ['a file in the place of the folder', 'plain/events.db', 'Create the folder'],
      ['a folder in the place of the file', 'folder', 'cannot be opened'],
    ])('%s, saying where and what to do', (_, path, advice) => {
      writeFileSync(join(folder, 'plain'), '');
      rmSync(join(folder, 'folder'), { recursive: true, force: true });
      new Database(file).close();
      const target = path === 'folder' ? folder : join(folder, path);
      const error = openingError(target);
      expect(error.code).toBe('LOG_UNUSABLE');
      expect(error.message).toContain(target);
      expect(error.message.toLowerCase()).toContain(advice.toLowerCase());
    });

    test('to read where there is no log, and makes none', () => {
      expect(openingError(file, true).code).toBe('LOG_UNUSABLE');
      expect(existsSync(file)).toBe(false);
    });
  });

  describe('that is open to read only', () => {
    test('reads what others append, and appends nothing', async () => {
      const writer = open();
      const reader = open({ readOnly: true });
      const following = take(reader, 0n, 2);
      await writer.append('a', 0, sessionsStarted(2));
      expect(await following).toHaveLength(2);
      const refusal = refusalOf(reader.append('a', 'any', sessionsStarted(1)));
      expect(await refusal).toBe('LOG_UNAVAILABLE');
    });
  });

  describe('with another connection that writes', () => {
    test('numbers the events of both without a gap', async () => {
      const logs = [open(), open()];
      const appends = Array.from({ length: 60 }, (_, index) =>
        logs[index % 2]!.append('shared', 'any', sessionsStarted(2)),
      );
      await Promise.all(appends);
      const events = await take(logs[0]!, 0n, 120);
      expect(events.map(({ version }) => version)).toEqual(
        Array.from({ length: 120 }, (_, index) => index + 1),
      );
    });

    test('keeps its appends until the other is done, and goes on serving meanwhile', async () => {
      let db!: Database.Database;
      const log = open({ onConnected: (connection) => (db = connection) });
      const busyWait = (): unknown => db.pragma('busy_timeout', { simple: true });
      expect(busyWait()).toBe(limits.busyWaitMs);
      const other = new Database(file);
      other.exec('BEGIN IMMEDIATE');
      let isDone = false;
      const append = log.append('a', 0, sessionsStarted(1)).finally(() => (isDone = true));
      // Only the first attempt may wait inside SQLite, where nothing else gets its turn.
      while (busyWait() !== 0) await new Promise((resolve) => setImmediate(resolve));
      expect(isDone).toBe(false);
      expect(log.stats().appendsWaiting).toBe(1);
      other.exec('COMMIT');
      other.close();
      expect(await append).toHaveLength(1);
      expect(busyWait()).toBe(limits.busyWaitMs);
    });

    test('gives up when an append has waited its time, and says why', async () => {
      const log = open();
      const other = new Database(file);
      other.exec('BEGIN IMMEDIATE');
      await expect(log.append('a', 0, sessionsStarted(1))).rejects.toThrow(
        /Could not append to .*Another process keeps writing/,
      );
      other.exec('COMMIT');
      other.close();
      expect(await log.append('a', 0, sessionsStarted(1))).toHaveLength(1);
    });
  });

  test('makes one commit of what comes turn after turn', async () => {
    let commits = 0;
    const log = open({ clock: () => new Date(++commits) });
    const appends = ['a', 'b'].map((stream) => log.append(stream, 'any', sessionsStarted(1)));
    await nextTurn();
    await Promise.all([...appends, log.append('c', 'any', sessionsStarted(1))]);
    expect(commits).toBe(1);
  });

  describe('under more than it can take', () => {
    test('refuses at once what does not fit the queue', async () => {
      const log = open();
      const appends = Array.from({ length: limits.appendsWaitingMax }, () =>
        log.append('a', 'any', [sessionStarted()]),
      );
      expect(await refusalOf(log.append('a', 'any', sessionsStarted(1)))).toBe('LOG_UNAVAILABLE');
      await Promise.all(appends);
      expect(await log.append('a', 'any', sessionsStarted(1))).toHaveLength(1);
    });
  });

  describe('on a full disk', () => {
    test('rejects the whole group, keeps reading, and goes on by itself when there is space', async () => {
      let db!: Database.Database;
      const log = open({ onConnected: (connection) => (db = connection) });
      await log.append('a', 0, sessionsStarted(10));
      db.pragma(`max_page_count = ${String(db.pragma('page_count', { simple: true }))}`);
      const group = await Promise.allSettled([
        log.append('small', 0, sessionsStarted(1)),
        log.append('large', 0, sessionsStarted(500)),
      ]);
      for (const result of group as PromiseRejectedResult[]) {
        expect(result.reason).toMatchObject({ code: 'LOG_UNAVAILABLE' });
        expect(String(result.reason)).toContain('The disk is full');
      }
      expect(await log.head()).toBe(10n);
      expect(await log.read('large', 0, 1)).toEqual([]);
      db.pragma('max_page_count = 1000000');
      const [next] = await log.append('large', 0, sessionsStarted(500));
      expect(next).toMatchObject({ version: 1, position: 11n });
    });
  });

  test('stamps events by its own clock', async () => {
    const log = open({ clock: () => new Date('2026-11-20T12:00:00.000Z') });
    await log.append('a', 0, [sessionStarted({ id: randomUUID() })]);
    const [event] = await log.read('a', 0, 1);
    expect(event!.metadata.recordedAt).toBe('2026-11-20T12:00:00.000Z');
  });
});
