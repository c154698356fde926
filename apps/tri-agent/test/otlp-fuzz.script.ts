import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadRecording } from '#libs/telemetry/recordings.js';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { breaker, fuzz, randomFrom } from './otlp-fuzz.js';

/**
 * The long fuzz, against the server as it runs for people: `npm run check:fuzz -- --bodies 1000000
 * --seed 7`. Exits with 1 when the server crashed, did not answer, answered 5xx, or took no sound
 * export afterwards.
 */
const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
  },
});
const bodies = Number(values.bodies);
console.error(`seed ${values.seed}, ${bodies} bodies`);

const home = mkdtempSync(join(tmpdir(), 'tri-agent-fuzz-'));
const server = await ServerProcess.start({ home, roles: 'receiver' });
try {
  const started = performance.now();
  const samples = join(projectRoot(), 'libs/telemetry/otlp-samples');
  const next = breaker(samples, randomFrom(Number(values.seed)));
  const { statuses, unanswered } = await fuzz(server.ports.otlpHttp ?? 0, bodies, next, (sent) => {
    if (sent % 50_000 === 0) console.error(`${sent} sent`);
  });
  const soundStatus = await sendSoundExport();
  const serverErrors = [...statuses].filter(([status]) => status >= 500);
  console.log(
    JSON.stringify({
      bodies,
      seconds: Math.round((performance.now() - started) / 1_000),
      statuses: Object.fromEntries(statuses),
      unanswered,
      soundExportAfterwards: soundStatus,
    }),
  );
  process.exitCode = unanswered > 0 || serverErrors.length > 0 || soundStatus !== 200 ? 1 : 0;
} finally {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}

async function sendSoundExport(): Promise<number> {
  const [body] = loadRecording('a-plain').bodies;
  if (body === undefined) throw new Error('There is no recorded body.');
  const answer = await fetch(`${server.otlpUrl}${body.path}`, {
    method: 'POST',
    headers: { 'content-type': body.contentType },
    body: new Uint8Array(body.bytes),
  });
  return answer.status;
}
