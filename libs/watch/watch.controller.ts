import { Controller, Get } from '@nestjs/common';
import { limits } from '#kernel/limits.js';
import { formatUsd } from '#kernel/money.js';
import type { ApiRoute } from '#platform/openapi.js';
import { Watch, type SilentNow } from './watch.js';
import { watchShape, type WatchAnswer } from './watch.shapes.js';

@Controller('api/v1/watch')
export class WatchController {
  constructor(private readonly watch: Watch) {}

  @Get()
  now(): WatchAnswer {
    const silent = this.watch.silentNow();
    const estimated = silent.reduce((sum, it) => sum + BigInt(it.estimatedNanoUsd ?? 0), 0n);
    return {
      silentAfterMs: this.watch.silentAfterMs,
      silentSessions: silent.length,
      estimatedUsd: formatUsd(estimated),
      silent: silent.slice(0, limits.silentShownMax).map(answered),
      loops: this.watch.loopsOfLate(),
    };
  }
}

function answered({ nanoUsdPerMinute, estimatedNanoUsd, ...session }: SilentNow) {
  const usd = (nanoUsd: number | null) => (nanoUsd === null ? null : formatUsd(BigInt(nanoUsd)));
  return { ...session, usdPerMinute: usd(nanoUsdPerMinute), estimatedUsd: usd(estimatedNanoUsd) };
}

export const watchRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/watch',
    summary:
      'Sessions that are silent while a model works for them, with what they may be spending, and loops of late.',
    answer: { type: 'application/json', schema: watchShape },
    problems: [],
  },
];
