import Database from 'better-sqlite3';
import type { QueueContender, WorkedOff } from './queue-contender.js';

/**
 * The limit of a queue that does not share commits: one table, each step its own transaction, WAL and
 * synchronous=FULL as in the server. SQLite has one writer, so that more workers change nothing.
 */
export class RawQueue implements QueueContender {
  private readonly db: Database.Database;
  private readonly insert: Database.Statement<[prompt: string]>;
  private readonly insertAll: (prompts: readonly string[]) => void;
  private readonly claim: Database.Statement<[], { readonly id: number; readonly prompt: string }>;
  private readonly complete: Database.Statement<[id: number]>;

  constructor(file: string) {
    this.db = new Database(file);
    this.db.pragma('journal_mode = WAL');
    this.db.pragma('synchronous = FULL');
    this.db.exec(`CREATE TABLE tasks (
        id INTEGER PRIMARY KEY, state TEXT NOT NULL, prompt TEXT NOT NULL) STRICT;
      CREATE INDEX queued ON tasks (id) WHERE state = 'queued'`);
    this.insert = this.db.prepare(`INSERT INTO tasks (state, prompt) VALUES ('queued', ?)`);
    this.insertAll = this.db.transaction((prompts: readonly string[]) => {
      for (const prompt of prompts) this.insert.run(prompt);
    });
    this.claim = this.db.prepare(`UPDATE tasks SET state = 'running' WHERE id = (
        SELECT id FROM tasks INDEXED BY queued WHERE state = 'queued' ORDER BY id LIMIT 1)
      RETURNING id, prompt`);
    this.complete = this.db.prepare(`UPDATE tasks SET state = 'completed' WHERE id = ?`);
  }

  submit(prompt: string): Promise<void> {
    this.insert.run(prompt);
    return Promise.resolve();
  }

  submitMany(prompts: readonly string[]): Promise<void> {
    this.insertAll(prompts);
    return Promise.resolve();
  }

  workOff(): Promise<WorkedOff> {
    let tasks = 0;
    const started = performance.now();
    for (let task = this.claim.get(); task !== undefined; task = this.claim.get()) {
      this.complete.run(task.id);
      tasks += 1;
    }
    return Promise.resolve({ tasks, seconds: (performance.now() - started) / 1_000 });
  }

  close(): Promise<void> {
    this.db.close();
    return Promise.resolve();
  }
}
