import { parseArgs } from 'node:util';
import { survivesRestarts } from './restarts.js';

/** `node dist/apps/tri-agent/test/restarts.script.js --exporters 20 --restarts 50`: exits with 1 when anything was lost. */
const { values } = parseArgs({
  options: {
    exporters: { type: 'string', default: '20' },
    restarts: { type: 'string', default: '50' },
  },
});
const report = await survivesRestarts(
  Number(values.exporters),
  Number(values.restarts),
  console.error,
);
console.log(JSON.stringify(report));
// An exporter gives up after ten seconds; half of them are left for a log of a million events.
const isBackInTime = report.downMsMax < 5_000;
process.exitCode =
  report.batchesLost === 0 && report.wrongSessions.length === 0 && isBackInTime ? 0 : 1;
