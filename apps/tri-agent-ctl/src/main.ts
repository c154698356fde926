import { processIo } from './process-io.js';
import { runCli } from './program.js';

/** The command line. `bin.cjs` starts it when Node is new enough, bundled into one file. */
void runCli(process.argv.slice(2), processIo()).then((exit) => {
  process.exitCode = exit;
});
