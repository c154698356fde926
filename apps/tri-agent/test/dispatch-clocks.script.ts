import { isUnmoved, survivesJumps } from './dispatch-clocks.js';

/** `npm run check:clocks`, with libfaketime: exits with 1 when a clock that was set cost a worker its task. */
const report = await survivesJumps(console.error);
console.log(JSON.stringify(report));
process.exitCode = isUnmoved(report) ? 0 : 1;
