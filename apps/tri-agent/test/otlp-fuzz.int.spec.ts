import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { makeAppender, makeIntake } from '#libs/telemetry/index.js';
import { Admission } from '#libs/telemetry/otlp.admission.js';
import { createOtlpApp } from '#libs/telemetry/otlp.module.js';
import { loadConfig } from '#platform/config.js';
import { Redactor } from '#platform/redaction.js';
import { projectRoot } from '#platform/project-root.js';
import { breaker, fuzz, prototypesAreClean, randomFrom } from './otlp-fuzz.js';

const first = Date.now() % 2 ** 32;
/** 20,000 altogether, in parts that a slow machine ends in time, each from a seed of its own. */
const bodies = 5_000;
const seeds = [0, 1, 2, 3].map((part) => (first + part) % 2 ** 32);

test.each(seeds)('5,000 broken exports meet 200, 400 or 413 only (seed %d)', async (seed) => {
  const registry = new Registry();
  const bugs: unknown[] = [];
  const admission = new Admission(registry);
  const { config } = loadConfig({});
  const log = new MemoryLog();
  const parts = { config, log, redactor: new Redactor([]), registry, costOf: () => undefined };
  const appender = makeAppender(parts);
  const app = await createOtlpApp({
    intake: makeIntake(appender, registry),
    admission,
    onBug: (bug) => bugs.push(bug),
    guard: (_request, _reply, done) => {
      done();
    },
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;

  const samples = join(projectRoot(), 'libs/telemetry/otlp-samples');
  const { statuses, unanswered } = await fuzz(port, bodies, breaker(samples, randomFrom(seed)));
  app.getHttpServer().closeAllConnections();
  await app.close();

  expect({ bugs, unanswered, inFlight: admission.inFlightBytes }).toEqual({
    bugs: [],
    unanswered: 0,
    inFlight: 0,
  });
  expect([...statuses.keys()].filter((status) => ![200, 400, 413].includes(status))).toEqual([]);
  // Enough of them get past the decoder.
  expect(statuses.get(200)).toBeGreaterThan(bodies / 50);
  expect(statuses.get(400)).toBeGreaterThan(bodies / 5);
  expect(prototypesAreClean()).toBe(true);
});
