#!/usr/bin/env node
import '#platform/node-version.js';
import { parseArgs } from 'node:util';
import type { Row } from './report.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '100' },
    events: { type: 'string', default: '200000' },
    'long-log-events': { type: 'string', default: '1000000' },
    sessions: { type: 'string', default: '200' },
    lines: { type: 'string', default: '500' },
    tasks: { type: 'string', default: '3000' },
    trips: { type: 'string', default: '100' },
  },
});

const { benchDispatch } = await import('./dispatch.bench.js');
const { benchImport } = await import('./import.bench.js');
const { benchIngest } = await import('./ingest.bench.js');
const { benchKill } = await import('./kill.bench.js');
const { benchReplay } = await import('./replay.bench.js');
const { benchStart } = await import('./start.bench.js');
const { printReport } = await import('./report.js');

const benchmarks = {
  ingest: () => benchIngest('all', Number(values.rounds)),
  receiver: () => benchIngest('receiver', Number(values.rounds)),
  replay: () => benchReplay(Number(values.events)),
  import: () => benchImport(Number(values.sessions), Number(values.lines)),
  dispatch: () => benchDispatch(Number(values.tasks)),
  kill: () => benchKill(Number(values.trips)),
  start: () => benchStart(Number(values['long-log-events'])),
};
type Name = keyof typeof benchmarks;

const names = positionals.length > 0 ? positionals : Object.keys(benchmarks);
const unknown = names.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined) {
  console.error(
    `There is no benchmark "${unknown}". Known: ${Object.keys(benchmarks).join(', ')}.`,
  );
  process.exit(2);
}
const rows: Row[] = [];
for (const name of names as Name[]) {
  console.error(`Running ${name} ...`);
  rows.push(...[await benchmarks[name]()].flat());
}
printReport(rows, values.json);
