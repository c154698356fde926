import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { NewEvent, RecordedEvent } from '#kernel/event.js';
import type { Appended } from '#eventstore/src/log.js';
import { EventLog } from '#eventstore/src/log.js';
import { Intake } from '#libs/telemetry/intake.js';
import { Admission } from '#libs/telemetry/otlp.admission.js';
import { createOtlpApp } from '#libs/telemetry/otlp.module.js';
import { breaker, fuzz, prototypesAreClean, randomFrom } from './otlp-fuzz.js';

/**
 * The long fuzz: `node dist/apps/tri-agent/test/otlp-fuzz.script.js [bodies] [seed]`, from the root
 * of the repository. Ends with 1 when the receiver crashed, did not answer, or answered 5xx.
 */

const BODIES = 1_000_000;
const PROGRESS_EVERY = 50_000;

/** Takes everything and remembers nothing: this is about what stands before the log. */
class Sink extends EventLog {
  append(_stream: string, _expected: unknown, events: readonly NewEvent[]): Promise<Appended[]> {
    return Promise.resolve(
      events.map(({ id }) => ({ id, version: 1, position: 1n, duplicate: false })),
    );
  }
  read(): Promise<RecordedEvent[]> {
    return Promise.resolve([]);
  }
  async *follow(): AsyncIterable<RecordedEvent[]> {
    // Nothing was remembered.
  }
  head(): Promise<bigint> {
    return Promise.resolve(0n);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

const bodies = Number(process.argv[2] ?? BODIES);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 32);
console.log(`seed ${seed}, ${bodies} bodies`);

const registry = new Registry();
const intake = new Intake({
  log: new Sink(),
  translators: [],
  redact: (draft) => draft,
  content: null,
  registry,
  clock: () => new Date(),
});
const bugs: unknown[] = [];
const admission = new Admission(registry);
const app = await createOtlpApp({ intake, admission, onBug: (error) => bugs.push(error) });
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;

const started = performance.now();
const next = breaker(join('libs', 'telemetry', 'otlp-samples'), randomFrom(seed));
const { statuses, unanswered } = await fuzz(port, bodies, next, (sent) => {
  if (sent % PROGRESS_EVERY === 0) console.log(`${sent} sent`);
});
const seconds = (performance.now() - started) / 1_000;
await app.close();

const failures = [...statuses].filter(([status]) => status >= 500);
const clean = prototypesAreClean();
console.log(`${bodies} bodies in ${seconds.toFixed(0)} s`, Object.fromEntries(statuses));
console.log(`unanswered ${unanswered}, 5xx ${failures.length}, bugs ${bugs.length}`);
console.log(`prototypes ${clean ? 'clean' : 'POLLUTED'}, in flight ${admission.inFlightBytes}`);
for (const bug of bugs.slice(0, 3)) console.log(bug);
const broken = unanswered > 0 || failures.length > 0 || bugs.length > 0 || !clean;
process.exitCode = broken || admission.inFlightBytes > 0 ? 1 : 0;
