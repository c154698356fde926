import { parseArgs } from 'node:util';
import { killHostileTrees } from '../../tri-agent-worker/test/kill-rounds.js';

/**
 * `npm run check:kill -- --rounds 100`: as many trees for each containment of this host and each manner, through the
 * worker's own `AgentProcess`. One line of JSON for each; the exit code is 1 where a promise was broken.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100' } } });
for await (const { faults, ...figures } of killHostileTrees(Number(values.rounds))) {
  console.log(JSON.stringify(figures));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
