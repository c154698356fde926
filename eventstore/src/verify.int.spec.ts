import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { sessionsStarted } from './helpers.contract.js';
import { SqliteLog } from './sqlite-log.js';
import { verifyChain } from './verify.js';

describe('The chain of a log', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tri-agent-chain-'));
    file = join(folder, 'events.db');
    const log = SqliteLog.open(file);
    await log.append('a', 0, sessionsStarted(5));
    await log.append('b', 0, sessionsStarted(5));
    await log.close();
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const tamper = (sql: string): void => {
    const db = new Database(file);
    db.exec(sql);
    db.close();
  };

  test('of an untouched log is sound', () => {
    const progress: number[] = [];
    const report = verifyChain(file, { onProgress: (events) => progress.push(events) });
    expect(report).toMatchObject({ events: 10, head: 10n, firstBadPosition: null, why: null });
    expect(report.headHash).toMatch(/^[0-9a-f]{64}$/);
    expect(progress).toEqual([10]);
  });

  test('of an empty log is sound', async () => {
    const empty = join(folder, 'empty.db');
    await SqliteLog.open(empty).close();
    expect(verifyChain(empty)).toMatchObject({ events: 0, head: 0n, firstBadPosition: null });
  });

  test('is checked while the log is written', async () => {
    const log = SqliteLog.open(file);
    await log.append('b', 5, sessionsStarted(1));
    expect(verifyChain(file)).toMatchObject({ events: 11, firstBadPosition: null });
    await log.close();
  });

  test.each([
    ['stream', `'z'`],
    ['version', '77'],
    ['id', `'0199a9c1-7b1d-7c3a-9f00-000000000001'`],
    ['type', `'PromptSubmitted'`],
    ['schema_version', '2'],
    ['data', `replace(data, 'fresh', 'resume')`],
    ['data', `data || ' '`],
    ['metadata', `replace(metadata, 'agent:codex', 'agent:gemini')`],
    ['hash', 'zeroblob(32)'],
    ['metadata', `''`],
    ['position', '40'],
  ])('shows an edited %s (%s)', (column, value) => {
    tamper(`UPDATE events SET ${column} = ${value} WHERE position = 4`);
    const { events, firstBadPosition } = verifyChain(file);
    expect(events).toBe(3);
    expect(firstBadPosition).toBe(column === 'position' ? 5n : 4n);
  });

  test('shows text moved from one field to the next', () => {
    tamper(`UPDATE events SET data = substr(data, 1, length(data) - 1),
      metadata = substr(data, -1) || metadata WHERE position = 4`);
    expect(verifyChain(file).firstBadPosition).toBe(4n);
  });

  test.each([1, 4, 9])('shows that event %i was deleted', (position) => {
    tamper(`DELETE FROM events WHERE position = ${position}`);
    expect(verifyChain(file).firstBadPosition).toBe(BigInt(position + 1));
  });

  test('shows that two events changed places', () => {
    tamper(`UPDATE events SET position = 99 WHERE position = 4;
      UPDATE events SET position = 4 WHERE position = 7;
      UPDATE events SET position = 7 WHERE position = 99`);
    expect(verifyChain(file).firstBadPosition).toBe(4n);
  });

  test('shows a copied event', () => {
    tamper(`INSERT INTO events SELECT 11, stream, 6, 'copy', type, schema_version, data, metadata,
      hash FROM events WHERE position = 10`);
    expect(verifyChain(file)).toMatchObject({ events: 10, firstBadPosition: 11n });
  });

  test('stays sound without its tail, but its head tells to who kept the last one', () => {
    const before = verifyChain(file);
    tamper('DELETE FROM events WHERE position > 8');
    const after = verifyChain(file);
    expect(after).toMatchObject({ events: 8, head: 8n, firstBadPosition: null });
    expect(after.headHash).not.toBe(before.headHash);
  });
});
