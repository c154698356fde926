import Database from 'better-sqlite3';

/** One row of the log as the server wrote it, without what this benchmark's table does not have. */
export interface EventRow {
  readonly stream: string;
  readonly version: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/**
 * The limit: the same events into the plainest table that keeps the same promises, nothing else done,
 * one transaction per request (its events are of one stream), WAL and synchronous=FULL as in the server.
 */
export function appendRaw(
  file: string,
  rows: readonly EventRow[],
): { seconds: number; commits: number } {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`CREATE TABLE events (
    position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE (stream, version)) STRICT`);
  const insert = db.prepare(
    'INSERT INTO events (stream, version, id, type, data, metadata) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const appendGroup = db.transaction((group: readonly EventRow[]) => {
    for (const row of group) {
      insert.run(row.stream, row.version, row.id, row.type, row.data, row.metadata);
    }
  });
  const groups = groupByAppend(rows);
  const started = performance.now();
  for (const group of groups) appendGroup.immediate(group);
  const seconds = (performance.now() - started) / 1000;
  db.close();
  return { seconds, commits: groups.length };
}

/**
 * What one request brought: neighbouring rows of one stream that were recorded in one commit. (Two
 * requests of one session that shared a commit count as one here, which favours the limit.)
 */
function groupByAppend(rows: readonly EventRow[]): EventRow[][] {
  const groups: EventRow[][] = [];
  let append: string | undefined;
  for (const row of rows) {
    const { recordedAt } = JSON.parse(row.metadata) as { recordedAt: string };
    const own = `${row.stream} ${recordedAt}`;
    if (own !== append) groups.push([]);
    groups.at(-1)?.push(row);
    append = own;
  }
  return groups;
}

/**
 * The limit of replay: reads and parses each event and makes three upserts of it, a transaction per
 * 1,000 events, as the projector's work is but without its rules.
 */
export function replayRaw(logFile: string, modelFile: string): { seconds: number; events: number } {
  const log = new Database(logFile, { readonly: true });
  const models = new Database(modelFile);
  models.pragma('journal_mode = WAL');
  models.pragma('synchronous = NORMAL');
  const tables = ['sessions', 'minutes', 'series'];
  const upserts = tables.map((table) => {
    models.exec(
      `CREATE TABLE ${table} (key TEXT PRIMARY KEY, events INTEGER NOT NULL, last TEXT NOT NULL) STRICT`,
    );
    return models.prepare(
      `INSERT INTO ${table} VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET events = events + 1, last = excluded.last`,
    );
  });
  models.exec('CREATE TABLE position (one INTEGER PRIMARY KEY, position INTEGER NOT NULL) STRICT');
  const save = models.prepare('INSERT OR REPLACE INTO position VALUES (1, ?)');
  const select = log.prepare(
    'SELECT position, data, metadata FROM events WHERE position > ? ORDER BY position LIMIT 1000',
  );
  interface Row {
    readonly position: number;
    readonly data: string;
    readonly metadata: string;
  }
  const applyBatch = models.transaction((rows: readonly Row[]) => {
    for (const row of rows) {
      const data = JSON.parse(row.data) as { sessionId?: string; model?: string };
      const { occurredAt } = JSON.parse(row.metadata) as { occurredAt: string };
      const minute = occurredAt.slice(0, 16);
      const session = data.sessionId ?? '';
      upserts[0]?.run(session, occurredAt);
      upserts[1]?.run(`${minute} ${session} ${data.model ?? ''}`, occurredAt);
      upserts[2]?.run(`${session} ${data.model ?? ''}`, occurredAt);
    }
    save.run(rows.at(-1)?.position ?? 0);
  });
  let events = 0;
  let position = 0;
  const started = performance.now();
  for (;;) {
    const rows = select.all(position) as Row[];
    if (rows.length === 0) break;
    applyBatch.immediate(rows);
    events += rows.length;
    position = rows.at(-1)?.position ?? position;
  }
  const seconds = (performance.now() - started) / 1000;
  log.close();
  models.close();
  return { seconds, events };
}
