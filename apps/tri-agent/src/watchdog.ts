import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { Gauge } from 'prom-client';
import type { ChainReport } from '#eventstore/src/verify.js';
import { makeNotifier } from '#libs/notify/index.js';
import { Clock } from '#platform/clock.js';
import type { House, RunningRole } from './house.js';

const logger = new Logger('watchdog');

/**
 * The role that looks after the rest: it tells people of what happens, and checks the hash chain of the
 * whole log behind every start. A damaged log is reported and still written: refusing telemetry would
 * lose what is sound.
 */
export async function startWatchdog(house: House): Promise<RunningRole> {
  const { config, log } = house;
  const notifier = await makeNotifier({
    home: config.home,
    log,
    clock: new Clock(),
    desktop: config.desktopNotices === 'on' ? process.env : undefined,
    report: (sentence) => {
      logger.warn(sentence);
    },
  });
  notifier.start();
  const verification = startVerification(house);
  return {
    stop: async () => {
      await Promise.all([notifier.stop(), verification.stop()]);
    },
  };
}

function startVerification({ config, registry, fail }: House): RunningRole {
  const verified = new Gauge({
    name: 'tri_agent_log_verified_events',
    help: 'Events whose hash chain was found whole at the last start.',
    registers: [registry],
  });
  const damagedAt = new Gauge({
    name: 'tri_agent_log_damaged_position',
    help: 'Position of the first damaged event of the log, 0 when none was found.',
    registers: [registry],
  });
  const thread = new Worker(new URL('./verify.thread.js', import.meta.url), {
    workerData: { file: join(config.home, 'events.db') },
  });
  thread.unref();
  thread.on('message', ({ events, firstBadPosition, why }: ChainReport) => {
    verified.set(events);
    if (firstBadPosition === null) return;
    damagedAt.set(Number(firstBadPosition));
    logger.error(`The log is damaged at position ${firstBadPosition}: ${why ?? ''}`);
  });
  thread.on('error', fail);
  return {
    stop: async () => {
      await thread.terminate();
    },
  };
}
