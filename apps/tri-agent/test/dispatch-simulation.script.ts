import { parseArgs } from 'node:util';
import { simulate } from './dispatch-simulation.js';

/**
 * `node dist/apps/tri-agent/test/dispatch-simulation.script.js --seeds 1000`: so many nights of
 * dispatch. `--seed N` has one of them again, with its events.
 */
const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1000' }, seed: { type: 'string' } },
});
const first = Number(values.seed ?? 1);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const sum = { nights: 0, events: 0, claims: 0, results: 0, refusals: 0, virtualHours: 0 };
for (let seed = first; seed < first + count; seed += 1) {
  const { faults, events, refusals, virtualMs } = simulate(seed);
  if (values.seed !== undefined) for (const event of events) console.log(JSON.stringify(event));
  if (faults.length > 0) {
    for (const fault of faults.slice(0, 20)) console.error(`seed ${seed}: ${fault}`);
    console.error(`Have it again: npm run check:simulation -- --seed ${seed}`);
    process.exitCode = 1;
    break;
  }
  sum.nights += 1;
  sum.events += events.length;
  sum.claims += events.filter(({ type }) => type === 'TaskClaimed').length;
  sum.results += events.filter(({ type }) => type === 'AttemptCompleted').length;
  sum.refusals += refusals;
  sum.virtualHours += virtualMs / 3_600_000;
}
console.log(JSON.stringify({ ...sum, virtualHours: Math.round(sum.virtualHours) }));
