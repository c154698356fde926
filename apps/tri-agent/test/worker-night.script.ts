import { parseArgs } from 'node:util';
import { liveThroughNight } from './worker-night.js';

/** `npm run check:workers -- --tasks 200 --minutes 10` */
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '10' },
  },
});
const report = await liveThroughNight(Number(values.tasks), Number(values.minutes));
console.log(JSON.stringify(report));
process.exitCode = report.faults.length === 0 ? 0 : 1;
