import '#platform/node-version.js';
import { parseArgs } from 'node:util';
import { crashWhileKilling } from './kill-crashes.js';
import { TripRig } from './trip-rig.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' } } });
const rig = new TripRig();
try {
  await rig.start(2);
  const report = await crashWhileKilling(rig, Number(values.rounds));
  console.log(JSON.stringify(report, null, 2));
  if (report.faults.length > 0) process.exitCode = 1;
} finally {
  await rig.stop();
}
