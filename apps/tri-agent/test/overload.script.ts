import { parseArgs } from 'node:util';
import { ServerProcess } from '#platform/server-process.js';
import { flood } from './overload.js';
import { TemporaryHomes } from './support.js';

/** `node dist/apps/tri-agent/test/overload.script.js --bodies 200`: what three kinds of flood came to. */
const { values } = parseArgs({ options: { bodies: { type: 'string', default: '200' } } });
const kinds = {
  'long texts': { recordsPerBody: 9_000, attributesPerRecord: 1, charactersPerAttribute: 1_800 },
  'many records': { recordsPerBody: 40_000, attributesPerRecord: 0, charactersPerAttribute: 0 },
  'many attributes': {
    recordsPerBody: 13_000,
    attributesPerRecord: 30,
    charactersPerAttribute: 10,
  },
} as const;
const homes = new TemporaryHomes();
for (const [kind, body] of Object.entries(kinds)) {
  const server = await ServerProcess.start({ home: homes.create() });
  const report = await flood(server, { ...body, bodies: Number(values.bodies), everyMs: 50 });
  console.log(JSON.stringify({ kind, ...report }));
  await server.stop();
}
homes.removeAll();
