import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording, recordingGroups, type RecordedBody } from '#libs/telemetry/recordings.js';
import { renamer, rewrite } from '#libs/telemetry/recordings.rewrite.js';
import { decodeExport } from '#libs/telemetry/otlp.decode.js';
import { eventLoopDelayOf } from './event-loop.js';
import { percentile, postAll } from './http-load.js';
import { memoryOf } from './memory.js';
import { appendRaw, type EventRow } from './raw-sqlite.js';
import { round, type Row } from './report.js';

const connections = 8;
const warmUpRounds = 10;

/**
 * Durable ingest over HTTP: the recorded protobuf log bodies, each renamed so that every event is new,
 * beside the raw append of the very events that came of them.
 */
export async function benchIngest(roles: string, rounds: number): Promise<Row> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-bench-'));
  try {
    const bodies = recordedLogBodies();
    const recordsPerRound = bodies
      .map((body) => decodeExport('logs', 'protobuf', body.bytes).records.length)
      .reduce((sum, records) => sum + records, 0);
    const server = await ServerProcess.start({ home, roles });
    const idle = memoryOf(server.pid);
    const port = server.ports.otlpHttp ?? 0;
    await postAll(port, '/v1/logs', renamed(bodies, 0, warmUpRounds), connections);
    const eventsBefore = rowsOf(home).length;
    await eventLoopDelayOf(server);
    const load = await postAll(
      port,
      '/v1/logs',
      renamed(bodies, warmUpRounds, rounds),
      connections,
    );
    const delay = await eventLoopDelayOf(server);
    const loaded = memoryOf(server.pid);
    await server.stop();

    const rows = rowsOf(home).slice(eventsBefore);
    const raw = appendRaw(join(home, 'raw.db'), rows);
    const records = recordsPerRound * rounds;
    const refused = [...load.statuses].filter(([status]) => status !== 200);
    return {
      benchmark: `ingest, roles ${roles}`,
      'records/s': round(records / load.seconds),
      'requests/s': round((bodies.length * rounds) / load.seconds),
      'events/s': round(rows.length / load.seconds),
      'p50 ms': round(percentile(load.latenciesMs, 0.5), 2),
      'p99 ms': round(percentile(load.latenciesMs, 0.99), 2),
      'events per append': round(rows.length / raw.commits, 1),
      'limit events/s': round(rows.length / raw.seconds),
      'ratio to limit': round(raw.seconds / load.seconds, 2),
      'event loop p99 ms': delay === undefined ? null : round(delay.p99Ms, 1),
      'event loop max ms': delay === undefined ? null : round(delay.maxMs, 1),
      'idle private MB': idle?.private ?? null,
      'loaded private MB': loaded?.private ?? null,
      'not 200': refused.reduce((sum, [, count]) => sum + count, 0),
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function recordedLogBodies(): RecordedBody[] {
  return recordingGroups()
    .flatMap((name) => loadRecording(name).bodies)
    .filter((body) => body.signal === 'logs' && body.file.endsWith('.bin'));
}

/**
 * Every body once per round, under ids that no other round has. As many rounds as there are
 * connections go side by side, as that many agents would: neighbouring requests are of other sessions.
 */
function renamed(bodies: readonly RecordedBody[], firstRound: number, rounds: number): Buffer[] {
  const requests: Buffer[] = [];
  for (let from = firstRound; from < firstRound + rounds; from += connections) {
    const size = Math.min(connections, firstRound + rounds - from);
    const renamers = Array.from({ length: size }, (_, index) => renamer(from + index));
    for (const body of bodies) {
      for (const renameId of renamers) {
        requests.push(rewrite(body.bytes, 'logs', { shiftNanos: 0n, renameId }));
      }
    }
  }
  return requests;
}

function rowsOf(home: string): EventRow[] {
  const db = new Database(join(home, 'events.db'), { readonly: true });
  try {
    return db
      .prepare('SELECT stream, version, id, type, data, metadata FROM events ORDER BY position')
      .all() as EventRow[];
  } finally {
    db.close();
  }
}
