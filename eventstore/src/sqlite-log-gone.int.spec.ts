import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refusalOf, sessionsStarted } from './helpers.contract.js';
import { SqliteLog } from './sqlite-log.js';

describe('A log in SQLite whose file is taken away', () => {
  let folder: string;
  let file: string;
  let log: SqliteLog;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tri-agent-log-'));
    file = join(folder, 'events.db');
    log = SqliteLog.open(file);
  });
  afterEach(async () => {
    await log.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['deleted', false],
    ['replaced', true],
  ])('acknowledges nothing once it was %s', async (what, isThereAgain) => {
    await log.append('a', 0, sessionsStarted(1));
    rmSync(file);
    if (isThereAgain) writeFileSync(file, '');
    expect(() => {
      log.tryToWrite();
    }).toThrow(what);
    expect(await refusalOf(log.append('a', 1, sessionsStarted(1)))).toBe('LOG_UNAVAILABLE');
  });
});
