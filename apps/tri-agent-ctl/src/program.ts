import { Command, CommanderError } from 'commander';
import { exitCode } from './failure.js';
import type { Io } from './io.js';
import { LightRun } from './light-run.js';
import { Output, usageFailure } from './output.js';
import type { Run } from './run.js';

type Add<R extends LightRun> = (program: Command, run: R) => void;
type Loaders<R extends LightRun> = Readonly<Record<string, () => Promise<Add<R>>>>;

/**
 * Which file knows which first word. Only that one is loaded, since what a program loads is most of
 * the time that a short answer takes; for help, and for a word that there is not, all are.
 */
const views = async () => (await import('./programs/views.js')).addViews;
const connections = async () => (await import('./programs/connections.js')).addConnections;
const queue = async () => (await import('./programs/queue.js')).addQueue;
const notify = async () => (await import('./programs/notify.js')).addNotify;
const care = async () => (await import('./programs/care.js')).addCare;

/** Commands that only ask the server. */
const lightPrograms: Loaders<LightRun> = {
  hook: async () => (await import('./programs/hook.js')).addHook,
  status: views,
  top: views,
  sessions: views,
  events: views,
  budgets: async () => (await import('./programs/budgets.js')).addBudgets,
  watch: views,
  usage: async () => (await import('./programs/usage.js')).addUsage,
  tasks: async () => (await import('./programs/tasks.js')).addTasks,
  run: async () => (await import('./programs/tasks.js')).addRun,
  queue,
  'dead-letter': queue,
  lanes: queue,
  workers: queue,
  kill: async () => (await import('./programs/kill.js')).addKill,
  notices: notify,
  webhooks: notify,
};
/** Commands that also look at the settings. */
const programs: Loaders<Run> = {
  import: async () => (await import('./programs/import.js')).addImport,
  coverage: async () => (await import('./programs/coverage.js')).addCoverage,
  prices: async () => (await import('./programs/prices.js')).addPrices,
  reap: async () => (await import('./programs/reap.js')).addReap,
  connect: connections,
  disconnect: connections,
  config: care,
  doctor: care,
};

/**
 * Runs one command line (without the program's own name).
 * @returns the exit code: 0 done, 1 failed, 2 not understood.
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const output = new Output(io, argv.includes('--json'));
  try {
    const program = emptyProgram(output, await versionFor(argv));
    const run = await fill(program, argv, output);
    await program.parseAsync([...argv], { from: 'user' });
    return run.exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) return output.fail(error);
    // Help and version are answers, not errors.
    if (error.exitCode === 0) return exitCode.ok;
    if (error.code === 'commander.help' && !output.json) return exitCode.usage;
    const said = (error.code === 'commander.help' ? 'a command is missing' : error.message)
      .replace(/^error: /, '')
      // What is wrong with a long argument counts more than all of it.
      .replace(/(argument '.{40}).+(' is invalid)/s, '$1…$2')
      .replaceAll('\n', ' ');
    const message = `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
    const hint = 'See which commands and options there are with "tri-agent-ctl --help".';
    return output.fail(usageFailure(/[.?)]$/.test(message) ? message : `${message}.`, hint));
  }
}

async function fill(program: Command, argv: readonly string[], output: Output): Promise<LightRun> {
  const word = argv.find((it) => !it.startsWith('-')) ?? '';
  if (Object.hasOwn(lightPrograms, word)) {
    const run = new LightRun(output.io, output);
    (await lightPrograms[word]?.())?.(program, run);
    return run;
  }
  const { Run } = await import('./run.js');
  const run = new Run(output.io, output);
  const all = { ...lightPrograms, ...programs };
  const needed = Object.hasOwn(programs, word) ? [programs[word]] : Object.values(all);
  for (const load of new Set(needed)) (await load?.())?.(program, run);
  return run;
}

/** It stands in a file that nobody needs who does not ask for it. */
async function versionFor(argv: readonly string[]): Promise<string> {
  const asked = argv.includes('--version') || argv.includes('-V');
  return asked ? (await import('#platform/version.js')).version : '';
}

function emptyProgram(output: Output, version: string): Command {
  return new Command('tri-agent-ctl')
    .description(
      'Shows what the tri-agent server watches, connects agents to it, and queues work for them.',
    )
    .version(version)
    .option('--json', 'print JSON (streams: one document a line)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => output.io.stdout.write(text),
      // Help after a mistake: who asked for JSON gets the mistake as JSON alone.
      writeErr: (text) => output.json || output.io.stderr.write(text),
      // Said once, by runCli, in the form that was asked for.
      outputError: () => undefined,
    })
    .exitOverride();
}
