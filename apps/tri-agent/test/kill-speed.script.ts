import '#platform/node-version.js';
import { parseArgs } from 'node:util';
import { measureKills } from './kill-speed.js';

/** Prints what it measured as JSON; `npm run bench -- kill` makes figures of it. */
const { values } = parseArgs({ options: { trips: { type: 'string', default: '100' } } });
console.log(JSON.stringify(await measureKills(Number(values.trips))));
