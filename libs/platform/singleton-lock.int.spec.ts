import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SingletonLock } from './singleton-lock.js';

let folder: string;
let others: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => {
  for (const other of others) other.kill('SIGKILL');
  others = [];
  rmSync(folder, { recursive: true });
});

/** Another process that does what the lock does, and says so. */
async function holder(file: string) {
  const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');
  const script = `
    const db = new (require(${JSON.stringify(sqlite)}))(${JSON.stringify(file)});
    db.exec('BEGIN EXCLUSIVE');
    console.log('held');
    setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  others.push(child);
  await once(child.stdout, 'data');
  return child;
}

describe('The lock of a singleton', () => {
  test('is held by one, and free when let go', () => {
    const file = join(folder, 'lock');
    const first = SingletonLock.acquire(file);
    expect(first).toBeDefined();
    expect(SingletonLock.acquire(file)).toBeUndefined();
    first!.release();
    const second = SingletonLock.acquire(file);
    expect(second).toBeDefined();
    second!.release();
  });

  test('keeps other processes out, and is free once its holder was killed', async () => {
    const file = join(folder, 'lock');
    const child = await holder(file);
    expect(SingletonLock.acquire(file)).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const mine = SingletonLock.acquire(file);
    expect(mine).toBeDefined();
    mine!.release();
  });
});
