import { parseArgs } from 'node:util';
import { survivesKills } from './server-kill.js';

/** `npm run check:crash -- --rounds 50`: exits with 1 when anything acknowledged was lost. */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' } } });
const report = await survivesKills(Number(values.rounds), console.error);
console.log(JSON.stringify(report));
process.exitCode = report.lostEvents === 0 && report.tablesEqualReplay ? 0 : 1;
