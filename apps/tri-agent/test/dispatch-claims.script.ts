import { parseArgs } from 'node:util';
import { isFlawless, survivesRaces } from './dispatch-claims.js';

/** `npm run check:claims -- --tasks 100000 --workers 8`: exits with 1 when a task was lost or run twice. */
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '8' },
    kills: { type: 'string', default: '2' },
    minutes: { type: 'string', default: '20' },
  },
});
const report = await survivesRaces({
  tasks: Number(values.tasks),
  workers: Number(values.workers),
  kills: Number(values.kills),
  deadlineMs: Number(values.minutes) * 60_000,
  progress: console.error,
});
console.log(JSON.stringify(report));
process.exitCode = isFlawless(report) && report.kills === Number(values.kills) ? 0 : 1;
