import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Projection } from './projection.js';
import { recorded } from './projection.specification.js';
import { ReadModels } from './read-models.js';
import { ReadModelsWriter } from './read-models-writer.js';

const seen = (version: number): Projection => ({
  name: 'seen',
  version,
  tables: ['seen'],
  schema: 'CREATE TABLE seen (position INTEGER NOT NULL) STRICT',
  prepare: (db) => {
    const insert = db.prepare('INSERT INTO seen VALUES (?)');
    return (event) => insert.run(event.position);
  },
});

const LONG_MS = 60_000;

let folder: string;
let models: ReadModels;
const writers: ReadModelsWriter[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reached-'));
  models = new ReadModels(join(folder, 'read-models.db'));
});
afterEach(() => {
  models.close();
  for (const writer of writers.splice(0)) writer.close();
  rmSync(folder, { recursive: true });
});

function writer(version = 1): ReadModelsWriter {
  const opened = ReadModelsWriter.open(
    join(folder, 'read-models.db'),
    [seen(version)],
    0n,
    () => undefined,
  );
  writers.push(opened);
  return opened;
}

function apply(to: ReadModelsWriter, ...positions: number[]): void {
  const data = { sessionId: 's', agent: 'codex', startType: 'fresh' } as const;
  const time = '2026-11-20T10:00:00.000Z';
  to.apply(positions.map((position) => recorded(position, 'SessionStarted', data, time)));
}

describe('A read model', () => {
  test('has reached what it has applied, and what lies before', async () => {
    apply(writer(), 1, 2, 3);
    await expect(models.reached(seen(1), 3n, 0)).resolves.toBeUndefined();
    await expect(models.reached(seen(1), 2n, 0)).resolves.toBeUndefined();
  });

  test('is waited for until it is applied, by way of a file that is made meanwhile', async () => {
    const order: string[] = [];
    const waiting = models.reached(seen(1), 2n, LONG_MS).then(() => order.push('reached'));
    const opened = writer();
    apply(opened, 1);
    await expect(models.reached(seen(1), 1n, LONG_MS)).resolves.toBeUndefined();
    order.push('applied');
    apply(opened, 2);
    await waiting;
    expect(order).toEqual(['applied', 'reached']);
  });

  test('that does not come so far in time is refused as building', async () => {
    apply(writer(), 1);
    await expect(models.reached(seen(1), 2n, 30)).rejects.toMatchObject({
      code: 'READ_MODEL_BUILDING',
      details: { readModel: 'seen', position: '1', target: '2' },
    });
  });

  test('of another version has reached nothing', async () => {
    apply(writer(2), 1, 2);
    await expect(models.reached(seen(1), 1n, 0)).rejects.toMatchObject({
      code: 'READ_MODEL_BUILDING',
    });
  });
});
