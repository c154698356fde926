import Database from 'better-sqlite3';
import { sqliteCode } from './sqlite-error.js';

/**
 * Held by the one process (or thread) that may do something on a data folder.
 *
 * An exclusive transaction on a file of its own: the operating system lets go of it when the holder
 * dies, however it dies, so that nothing is left behind to clean up.
 */
export class SingletonLock {
  private constructor(private readonly db: Database.Database) {}

  /** Undefined when another holds it. Does not wait. */
  static acquire(file: string): SingletonLock | undefined {
    const db = new Database(file, { timeout: 0 });
    try {
      db.exec('BEGIN EXCLUSIVE');
      return new SingletonLock(db);
    } catch (error) {
      db.close();
      if (sqliteCode(error).startsWith('SQLITE_BUSY')) return undefined;
      throw error;
    }
  }

  release(): void {
    this.db.close();
  }
}
