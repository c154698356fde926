import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { hookCosts } from './hooks-cost.js';

/** `npm run check:hooks [calls]`: what an agent waits for the built server at each of its hooks. */

const aimP99Ms = 50;
const calls = Number(process.argv[2] ?? 1_000);
const home = mkdtempSync(join(tmpdir(), 'tri-agent-hooks-'));
const server = await ServerProcess.start({ home });
try {
  const token = readFileSync(join(home, 'hooks-token'), 'utf8').trim();
  const costs = await hookCosts(server.url, token, calls);
  const isQuick = costs.every(({ p99Ms }) => p99Ms <= aimP99Ms);
  console.log(JSON.stringify({ costs, aimP99Ms, isQuick }));
  process.exitCode = isQuick ? 0 : 1;
} finally {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}
