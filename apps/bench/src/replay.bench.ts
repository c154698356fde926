import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { Projector } from '#platform/projector.js';
import { sessionsProjections } from '#libs/sessions/projections.js';
import { writeSyntheticLog } from './synthetic-log.js';
import { replayRaw } from './raw-sqlite.js';
import { round, type Row } from './report.js';

/** Rebuilding every read model from the log, beside reading it and making three upserts an event. */
export async function benchReplay(events: number): Promise<Row> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-bench-'));
  try {
    const file = join(home, 'events.db');
    await writeSyntheticLog(file, events);
    const raw = replayRaw(file, join(home, 'raw.db'));
    const seconds = await replay(home, file);
    return {
      benchmark: 'replay',
      events: raw.events,
      'events/s': round(raw.events / seconds),
      'limit events/s': round(raw.events / raw.seconds),
      'ratio to limit': round(raw.seconds / seconds, 2),
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function replay(home: string, file: string): Promise<number> {
  const log = SqliteLog.open(file, { readOnly: true });
  const projector = await Projector.open({
    home,
    log,
    projections: sessionsProjections,
    report: console.error,
  });
  if (projector === undefined) throw new Error('Another projector holds the folder.');
  const stopping = new AbortController();
  const started = performance.now();
  const running = projector.run(stopping.signal);
  for (;;) {
    const { position, head } = await projector.progress();
    if (position >= head) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (performance.now() - started) / 1000;
  stopping.abort();
  await running;
  projector.close();
  await log.close();
  return seconds;
}
