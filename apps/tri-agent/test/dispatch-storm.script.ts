import { limits } from '#kernel/limits.js';
import { survivesStorm, type StormReport } from './dispatch-storm.js';

/**
 * `npm run check:storm`: a minute of refusals of three kinds, and what comes after each. Exits with 1
 * when a provider was called before its time, or by many at once when it may be called again.
 */
const minuteMs = 60_000;
const afterwards = { afterwardsMs: limits.coolDownRampMs + 15_000, callsAfterwards: 100 };
const wakingUpPerSecondMax = 2;

const kinds = [
  { statusCode: 429, hasRetryAfter: true },
  { statusCode: 529, hasRetryAfter: true },
  { statusCode: 500, hasRetryAfter: false },
];
const reports = await Promise.all(
  kinds.map(async (kind) => {
    const report = await survivesStorm({ ...kind, stormMs: minuteMs, ...afterwards });
    console.log(JSON.stringify({ ...kind, ...report }));
    return report;
  }),
);
process.exitCode = reports.every(wasLeftAlone) ? 0 : 1;

function wasLeftAlone({ tooEarly, firstAfterMs, perSecond }: StormReport): boolean {
  const isStaggered = perSecond.wakingUp <= wakingUpPerSecondMax;
  return tooEarly === 0 && firstAfterMs !== null && isStaggered;
}
