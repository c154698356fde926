import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording } from '#libs/telemetry/recordings.js';
import { memoryOf } from './memory.js';
import { round, type Row } from './report.js';
import { writeSyntheticLog } from './synthetic-log.js';

/** From the start of the process on a long log to its first answer to an export, cold and warm. */
export async function benchStart(events: number): Promise<Row> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-bench-'));
  try {
    await writeSyntheticLog(join(home, 'events.db'), events);
    const withoutModels = await startAndExport(home);
    const caughtUpSeconds = await untilCaughtUp(withoutModels.server);
    const memory = memoryOf(withoutModels.server.pid);
    await withoutModels.server.stop('SIGKILL');
    const afterKill = await startAndExport(home);
    await afterKill.server.stop();
    return {
      benchmark: 'start on a long log',
      events,
      'accepting, read models deleted, s': round(withoutModels.seconds, 2),
      'read models rebuilt behind, s': round(caughtUpSeconds, 1),
      'private MB after the rebuild': memory?.private ?? null,
      'accepting after SIGKILL, s': round(afterKill.seconds, 2),
      'limit s': 5,
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function startAndExport(home: string): Promise<{ server: ServerProcess; seconds: number }> {
  const body = loadRecording('a-plain').bodies[0];
  if (body === undefined) throw new Error('There is no recorded body.');
  const started = performance.now();
  const server = await ServerProcess.start({ home });
  const answer = await fetch(`${server.otlpUrl}${body.path}`, {
    method: 'POST',
    headers: { 'content-type': body.contentType },
    body: new Uint8Array(body.bytes),
  });
  if (answer.status !== 200) throw new Error(`The receiver answered ${answer.status}.`);
  return { server, seconds: (performance.now() - started) / 1000 };
}

async function untilCaughtUp(server: ServerProcess): Promise<number> {
  const started = performance.now();
  const token = readFileSync(join(server.home, 'token'), 'utf8').trim();
  for (;;) {
    const answer = await fetch(`${server.url}/api/v1/sessions?limit=1`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (answer.status === 200) return (performance.now() - started) / 1000;
    await delay(100);
  }
}
