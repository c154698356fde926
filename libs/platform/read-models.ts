import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { limits } from '#kernel/limits.js';
import { isRefusal, Refusal } from '#kernel/refusal.js';
import type { Projection } from './projection.js';
import { sqliteCode } from './sqlite-error.js';

/** How far a projection is, as its row in read-models.db says. */
export interface ProjectionPosition {
  readonly name: string;
  readonly position: bigint;
}

interface Building {
  readonly version: bigint;
  readonly position: bigint;
  readonly target: bigint;
}

const selectBuilding = 'SELECT version, position, target FROM projections WHERE name = ?';

/** Prepares a statement, once per connection. All integers come back as bigint. */
export type Prepare = <Params extends unknown[], Row>(
  sql: string,
) => Database.Statement<Params, Row>;

/**
 * What queries read from: a read-only connection to read-models.db, which another thread or process
 * writes. It is opened at the first query and again when the file was replaced by a rebuild.
 */
export class ReadModels {
  private db: Database.Database | undefined;
  private inode = 0;
  private readonly statements = new Map<string, Database.Statement>();

  constructor(private readonly file: string) {}

  /**
   * Runs a query of one or more projections in one snapshot. It must not be asynchronous, so that no
   * snapshot is held for long.
   *
   * @throws {Refusal} `READ_MODEL_BUILDING` while one of them has not caught up with the log as it
   *   was when its (re)build began.
   */
  read<Result>(
    read: Projection | readonly Projection[],
    query: (prepare: Prepare) => Result,
  ): Result {
    const projections = [read].flat();
    this.connect(projections[0]);
    this.prepare('BEGIN').run();
    try {
      for (const projection of projections) this.requireReady(projection);
      return query(this.prepare);
    } finally {
      this.prepare('COMMIT').run();
    }
  }

  /**
   * Waits until a projection has applied the event at this position of the log, so that whoever caused
   * it sees it. Holds no snapshot meanwhile.
   *
   * @throws {Refusal} `READ_MODEL_BUILDING` when it has not within `waitMs`
   */
  async reached(projection: Projection, position: bigint, waitMs: number): Promise<void> {
    const givenUpAt = performance.now() + waitMs;
    for (;;) {
      const current = this.positionOf(projection);
      if (current !== undefined && current >= position) return;
      if (performance.now() >= givenUpAt) throw behind(projection, current ?? 0n, position);
      await delay(limits.readModelsPollMs);
    }
  }

  /** How far each projection is; empty before the first build. */
  positions(): ProjectionPosition[] {
    try {
      this.connect();
      const sql = 'SELECT name, position FROM projections ORDER BY name';
      return this.prepare<[], ProjectionPosition>(sql).all();
    } catch (error) {
      if (error instanceof Refusal) return [];
      throw error;
    }
  }

  close(): void {
    this.db?.close();
    this.db = undefined;
    this.statements.clear();
  }

  private readonly prepare: Prepare = <Params extends unknown[], Row>(sql: string) => {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      if (this.db === undefined) throw new Error('Read models are read through read().');
      statement = this.db.prepare(sql);
      if (statement.reader) statement.safeIntegers();
      this.statements.set(sql, statement);
    }
    return statement as unknown as Database.Statement<Params, Row>;
  };

  private connect(projection?: Projection): void {
    const inode = statSync(this.file, { throwIfNoEntry: false })?.ino;
    if (inode !== undefined && inode === this.inode && this.db !== undefined) return;
    this.close();
    if (inode === undefined) throw notReady(projection, 0n, 0n);
    this.db = new Database(this.file, { readonly: true, fileMustExist: true });
    this.inode = inode;
    try {
      this.prepare('SELECT name, version, position, target, tables FROM projections');
    } catch (error) {
      this.close();
      // The writer has made the file and not yet its tables, or is about to replace a stranger's.
      if (isUnwritten(error)) throw notReady(projection, 0n, 0n);
      throw error;
    }
  }

  /** undefined while it cannot be read, or is another version's. */
  private positionOf({ name, version }: Projection): bigint | undefined {
    try {
      this.connect();
      const row = this.prepare<[string], Building>(selectBuilding).get(name);
      return row?.version === BigInt(version) ? row.position : undefined;
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  private requireReady(projection: Projection): void {
    const row = this.prepare<[string], Building>(selectBuilding).get(projection.name);
    if (row?.version !== BigInt(projection.version)) throw notReady(projection, 0n, 0n);
    if (row.position < row.target) throw notReady(projection, row.position, row.target);
  }
}

function isUnwritten(error: unknown): boolean {
  const code = sqliteCode(error);
  return (
    code === 'SQLITE_NOTADB' ||
    (code === 'SQLITE_ERROR' && String(error).includes('no such table: projections'))
  );
}

function behind({ name }: Projection, position: bigint, target: bigint): Refusal {
  return new Refusal(
    'READ_MODEL_BUILDING',
    'What was just written is safe in the log, and not yet in the answers. Ask again in a moment.',
    { readModel: name, position: String(position), target: String(target) },
  );
}

function notReady(projection: Projection | undefined, position: bigint, target: bigint): Refusal {
  const percent = target === 0n ? 0 : Number((position * 100n) / target);
  return new Refusal(
    'READ_MODEL_BUILDING',
    target === 0n
      ? 'The read model has not been built yet. Ask again in a moment; if it stays so, start a server with the role projector.'
      : `The read model is being rebuilt from the log (${percent} %). Ask again in a moment.`,
    {
      readModel: projection?.name ?? null,
      position: String(position),
      target: String(target),
      percent,
    },
  );
}
