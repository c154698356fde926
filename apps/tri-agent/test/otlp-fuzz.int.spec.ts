import { join } from 'node:path';
import { startReceiver } from '#libs/telemetry/otlp.receiver.contract.js';
import { breaker, fuzz, prototypesAreClean, randomFrom } from './otlp-fuzz.js';

const SEED = Date.now() % 2 ** 32;
const BODIES = 20_000;

test(`20,000 broken exports meet 200, 400 or 413 only (seed ${SEED})`, async () => {
  const receiver = await startReceiver();
  const samples = join(import.meta.dirname, '../../../libs/telemetry/otlp-samples');
  const next = breaker(samples, randomFrom(SEED));
  const { statuses, unanswered } = await fuzz(receiver.port, BODIES, next);
  const { bugs, admission } = receiver;
  await receiver.close();
  expect({ bugs, unanswered, inFlight: admission.inFlightBytes }).toEqual({
    bugs: [],
    unanswered: 0,
    inFlight: 0,
  });
  expect([...statuses.keys()].filter((status) => ![200, 400, 413].includes(status))).toEqual([]);
  expect(statuses.get(200)).toBeGreaterThan(BODIES / 20);
  expect(statuses.get(400)).toBeGreaterThan(BODIES / 5);
  expect(prototypesAreClean()).toBe(true);
}, 60_000);
