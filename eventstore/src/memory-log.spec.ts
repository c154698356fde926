import { describeLogContract } from './log.contract.js';
import { MemoryLog } from './memory-log.js';

describeLogContract('The log in memory', () => {
  const log = new MemoryLog();
  return { log, dispose: () => log.close() };
});
