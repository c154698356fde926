import { Command, CommanderError } from 'commander';
import { ConfigError, loadConfig, type Config } from '#platform/config.js';
import { isLogError } from '#eventstore/src/log.js';
import { StartError } from './start-error.js';

/** Exit codes: 0 done, 1 failed, 2 the call's words are off. */
const failed = 1;
const misused = 2;

/** The verbs that need the data folder. Everything for people at a terminal is in tri-agent-ctl. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('tri-agent')
    .description('The tri-agent server and the verbs that need its data folder.')
    .exitOverride();

  program
    .command('serve', { isDefault: true })
    .description('run the server until a signal ends it')
    .option('--roles <list>', 'all, or some of receiver,api,projector,watchdog')
    .option('--with-workers', 'run three workers beside it: impl, review and architect')
    .action(async ({ roles, withWorkers }: { roles?: string; withWorkers?: true }) => {
      const { serve } = await import('./serve.js');
      await serve(configured(roles === undefined ? {} : { roles }), withWorkers);
    });

  program
    .command('demo')
    .description('run the server on a throw-away folder and replay recorded sessions to it')
    .option('--speed <factor>', 'how much faster than they were recorded', '1')
    .option('--once', 'end when every session has been replayed once')
    .action(async ({ speed, once }: { speed: string; once?: true }) => {
      const { demo } = await import('./demo.js');
      await demo({ speed: Number(speed), once: once === true });
    });

  program
    .command('verify')
    .description('check the hash chain of the log from its first event to its last')
    .action(async () => {
      const { verify } = await import('./verify.js');
      process.exitCode = verify(configured({})) ? 0 : failed;
    });

  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = explain(error);
  }
  // A parent's channel would keep the process alive.
  if (process.connected) process.disconnect();
}

function configured(overrides: { roles?: string }): Config {
  return loadConfig(process.env, overrides).config;
}

/** One sentence for what a person can mend; anything else is a bug and keeps its stack. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misused;
  if (error instanceof ConfigError || error instanceof StartError || isLogError(error)) {
    console.error(error.message);
    return failed;
  }
  console.error(error);
  return failed;
}
