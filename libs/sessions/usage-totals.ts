import type { Database } from 'better-sqlite3';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { sumColumns, summing, sumValues, type UsageAmounts } from './usage-sums.js';

/**
 * Sums by minute (since 1970, UTC) and key, by quarter of an hour, which the minute that it begins with
 * names, and by session. A key is everything that usage can be
 * grouped by; what is not told is ''. Sums of origin `metrics` count only in sessions that have none
 * of origin `requests`: that is for queries to see, since telemetry of both kinds arrives in any order.
 */
export const totalsSchema = `
  CREATE TABLE usage_keys (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('requests', 'metrics')),
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    project TEXT NOT NULL,
    team TEXT NOT NULL,
    user_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    UNIQUE (agent, session_id, origin, provider, model, project, team, user_id, task_id)
  ) STRICT;
  CREATE TABLE usage_by_minute (
    minute INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    ${sumColumns},
    PRIMARY KEY (minute, key_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE usage_by_quarter (
    minute INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    ${sumColumns},
    PRIMARY KEY (minute, key_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE usage_by_session (
    agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    ${sumColumns},
    PRIMARY KEY (agent, session_id, origin)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE usage_failures (
    minute INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (minute, key_id)
  ) STRICT, WITHOUT ROWID;`;

export const MINUTE_MS = 60_000;
export const QUARTER_MINUTES = 15;

/** How many keys are remembered, so that the table need not be asked: sessions come and go. */
const KEYS_REMEMBERED_MAX = 10_000;

type Origin = 'requests' | 'metrics';
type Told = Pick<
  DataOf<'UsageRecorded'>,
  'agent' | 'sessionId' | 'provider' | 'model' | 'project' | 'team' | 'userId' | 'taskId'
>;
type Key = [
  agent: string,
  sessionId: string,
  origin: string,
  provider: string,
  model: string,
  project: string,
  team: string,
  userId: string,
  taskId: string,
];
const PROVIDER = 3;
const PROJECT = 5;

/** What is to be added to the rows of a minute and of a session; `isLess`: something is taken away. */
interface Change {
  readonly sums: readonly number[];
  readonly isLess: boolean;
}

/** Writes the sums. */
export class Sums {
  private readonly keys = new Map<string, number>();
  private readonly keysById = new Map<number, Key>();
  private readonly pending = new Map<string, Change>();
  private readonly findKey;
  private readonly readKey;
  private readonly insertKey;
  private readonly addToMinute;
  private readonly addToQuarter;
  private readonly addToSession;
  private readonly dropEmptyMinute;
  private readonly dropEmptyQuarter;
  private readonly dropEmptySession;
  private readonly countFailure;

  constructor(db: Database) {
    const key = 'agent, session_id, origin, provider, model, project, team, user_id, task_id';
    this.findKey = db
      .prepare<Key, number>(
        `SELECT id FROM usage_keys WHERE (${key}) = (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .pluck();
    this.readKey = db.prepare<[number], Key>(`SELECT ${key} FROM usage_keys WHERE id = ?`).raw();
    this.insertKey = db.prepare<Key>(
      `INSERT INTO usage_keys (${key}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const addTo = (table: string) =>
      db.prepare(
        `INSERT INTO ${table} (minute, key_id, ${summing.columns})
          VALUES (?, ?, ${summing.values}) ON CONFLICT DO UPDATE SET ${summing.added}`,
      );
    this.addToMinute = addTo('usage_by_minute');
    this.addToQuarter = addTo('usage_by_quarter');
    this.addToSession = db.prepare(
      `INSERT INTO usage_by_session (agent, session_id, origin, ${summing.columns})
        VALUES (?, ?, ?, ${summing.values}) ON CONFLICT DO UPDATE SET ${summing.added}`,
    );
    this.countFailure = db.prepare(
      `INSERT INTO usage_failures VALUES (?, ?, 1)
        ON CONFLICT DO UPDATE SET failures = failures + 1`,
    );
    const dropEmptyIn = (table: string) =>
      db.prepare(`DELETE FROM ${table} WHERE minute = ? AND key_id = ? AND requests = 0`);
    this.dropEmptyMinute = dropEmptyIn('usage_by_minute');
    this.dropEmptyQuarter = dropEmptyIn('usage_by_quarter');
    this.dropEmptySession = db.prepare(
      `DELETE FROM usage_by_session
        WHERE agent = ? AND session_id = ? AND origin = ? AND requests = 0`,
    );
  }

  keyOfRequest(told: Told): number {
    return this.idOf(keyOf(told, 'requests'));
  }

  keyOfMetrics(told: Told): number {
    return this.idOf(keyOf(told, 'metrics'));
  }

  /** The key with the other one's project where it has none itself. */
  keyWithProjectOf(id: number, otherId: number): number {
    const key = this.keyOf(id);
    const project = this.keyOf(otherId)[PROJECT];
    if (key[PROJECT] !== '' || project === '') return id;
    return this.idOf(key.with(PROJECT, project) as Key);
  }

  /** @param at milliseconds since 1970. */
  add(keyId: number, at: number, amounts: UsageAmounts): void {
    this.change(keyId, at, amounts, 1);
  }

  /** Takes away what was added. */
  remove(keyId: number, at: number, amounts: UsageAmounts): void {
    this.change(keyId, at, amounts, -1);
  }

  /** A request that the agent gave up on. */
  addFailure(keyId: number, at: number): void {
    this.countFailure.run(Math.floor(at / MINUTE_MS), keyId);
  }

  /** Writes what was held back: a session's requests of one minute share their rows. */
  flush(): void {
    for (const [name, change] of this.pending) {
      const [minute, keyId] = name.split(' ').map(Number) as [number, number];
      const who = this.keyOf(keyId).slice(0, PROVIDER);
      const quarter = minute - (minute % QUARTER_MINUTES);
      this.addToMinute.run(minute, keyId, ...change.sums);
      this.addToQuarter.run(quarter, keyId, ...change.sums);
      this.addToSession.run(...who, ...change.sums);
      if (!change.isLess) continue;
      // A row of which nothing is left goes, so that it is in no list.
      this.dropEmptyMinute.run(minute, keyId);
      this.dropEmptyQuarter.run(quarter, keyId);
      this.dropEmptySession.run(...who);
    }
    this.pending.clear();
  }

  private change(keyId: number, at: number, amounts: UsageAmounts, sign: 1 | -1): void {
    const name = `${Math.floor(at / MINUTE_MS)} ${keyId}`;
    const change = this.pending.get(name);
    const sums = sumValues(amounts, sign, change?.sums);
    if (sums === undefined) {
      // Together they are more than a number can hold exactly.
      this.flush();
      this.change(keyId, at, amounts, sign);
      return;
    }
    this.pending.set(name, { sums, isLess: sign < 0 || change?.isLess === true });
  }

  private idOf(key: Key): number {
    const text = JSON.stringify(key);
    const known = this.keys.get(text);
    if (known !== undefined) return known;
    const id = this.findKey.get(...key) ?? Number(this.insertKey.run(...key).lastInsertRowid);
    this.remember(id, key, text);
    return id;
  }

  private keyOf(id: number): Key {
    const known = this.keysById.get(id);
    if (known !== undefined) return known;
    const key = this.readKey.get(id);
    if (key === undefined) throw new Error(`There is no usage key ${id}.`);
    this.remember(id, key, JSON.stringify(key));
    return key;
  }

  private remember(id: number, key: Key, text: string): void {
    if (this.keys.size >= KEYS_REMEMBERED_MAX) {
      this.keys.clear();
      this.keysById.clear();
    }
    this.keys.set(text, id);
    this.keysById.set(id, key);
  }
}

function keyOf(told: Told, origin: Origin): Key {
  const { agent, sessionId, provider, model, project, team, userId, taskId } = told;
  return [
    agent,
    sessionId,
    origin,
    provider,
    model,
    project ?? '',
    team ?? '',
    userId ?? '',
    taskId ?? '',
  ];
}
