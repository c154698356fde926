import { join } from 'node:path';
import { verifyChain } from '#eventstore/src/verify.js';
import type { Config } from '#platform/config.js';

/** Prints what it found and says whether the log is whole. */
export function verify(config: Config): boolean {
  const file = join(config.home, 'events.db');
  const result = verifyChain(file, {
    onProgress: (events) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${events.toLocaleString('en')} events`);
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\r');
  if (result.firstBadPosition === null) {
    console.log(
      `${result.events.toLocaleString('en')} events, the chain is whole. Head: ${result.head}`,
    );
    return true;
  }
  console.error(`The log is damaged at position ${result.firstBadPosition}: ${result.why}`);
  return false;
}
