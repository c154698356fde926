import type { Command } from 'commander';
import { showConfig } from '../commands/config.js';
import { runDoctor } from '../commands/doctor.js';
import type { Run } from '../run.js';
import { findServer } from '../server.js';

export function addCare(program: Command, run: Run): void {
  program
    .command('config')
    .description('every setting and where its value comes from')
    .action(() => {
      showConfig(findServer(run.io), run.output);
    });
  program
    .command('doctor')
    .description('check everything that has to be right, and say what to do where it is not')
    .action(async () => {
      run.exit = await runDoctor(run.output);
    });
}
