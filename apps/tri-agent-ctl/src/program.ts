import { Command, CommanderError, Option } from 'commander';
import { limits } from '#kernel/limits.js';
import { showConfig } from './commands/config.js';
import { runDoctor } from './commands/doctor.js';
import { tailEvents, type TailWish } from './commands/events.js';
import { listSessions, showSession, type ListWish } from './commands/sessions.js';
import { showStatus } from './commands/status.js';
import { top, type TopWish } from './commands/top.js';
import { showUsage, usageCuts, type UsageWish } from './commands/usage.js';
import { watchSessions } from './commands/watch.js';
import { exitCode } from './failure.js';
import type { Io } from './io.js';
import { countOption, limitOption, moment, position, wholeNumber } from './options.js';
import { Output, usageFailure } from './output.js';
import { addCoverage } from './programs/coverage.js';
import { addPrices } from './programs/prices.js';
import { addConnections } from './programs/connections.js';
import { addImport } from './programs/import.js';
import { Run } from './run.js';
import { findServer } from './server.js';
import { version } from '#platform/version.js';

/**
 * Runs one command line (without the program's own name).
 * @returns the exit code: 0 done, 1 failed, 2 not understood.
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const output = new Output(io, argv.includes('--json'));
  const run = new Run(io, output);
  try {
    await build(run).parseAsync([...argv], { from: 'user' });
    return run.exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) return output.fail(error);
    // Help and version are answers, not errors.
    if (error.exitCode === 0) return exitCode.ok;
    if (error.code === 'commander.help' && !output.json) return exitCode.usage;
    const said = (error.code === 'commander.help' ? 'a command is missing' : error.message)
      .replace(/^error: /, '')
      .replaceAll('\n', ' ');
    const message = `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
    const hint = 'See which commands and options there are with "tri-agent-ctl --help".';
    return output.fail(usageFailure(/[.?)]$/.test(message) ? message : `${message}.`, hint));
  }
}

function build(run: Run): Command {
  const program = new Command('tri-agent-ctl')
    .description('Shows what the tri-agent server watches, and connects agents to it.')
    .version(version)
    .option('--json', 'print JSON (streams: one document a line)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => run.io.stdout.write(text),
      // Help after a mistake: who asked for JSON gets the mistake as JSON alone.
      writeErr: (text) => run.output.json || run.io.stderr.write(text),
      // Said once, by runCli, in the form that was asked for.
      outputError: () => undefined,
    })
    .exitOverride();
  addViews(program, run);
  addSessions(program, run);
  addEvents(program, run);
  addPrices(program, run);
  addCoverage(program, run);
  addImport(program, run);
  addConnections(program, run);
  addCare(program, run);
  return program;
}

function addViews(program: Command, run: Run): void {
  program
    .command('status')
    .description('how the server is')
    .action(() => showStatus(run.client(), run.output));
  program
    .command('top')
    .description('sessions as a live table; q leaves')
    .option('--all', 'sessions that have ended, too', false)
    .addOption(limitOption(200))
    .action((wish: TopWish) => top(run.client(), run.output, wish));
  program
    .command('usage')
    .description('requests, tokens and cost, summed up')
    .addOption(new Option('--by <what>', 'cut by').choices(usageCuts).default('day'))
    .option('--since <when>', 'from: 30m, 24h, 7d, today, a date or an ISO time (UTC)', moment(run))
    .option('--until <when>', 'up to: the same forms', moment(run))
    .action((wish: UsageWish) => showUsage(run.client(), run.output, wish));
}

function addSessions(program: Command, run: Run): void {
  const sessions = program.command('sessions').description('sessions of agents');
  sessions
    .command('list', { isDefault: true })
    .description('the sessions, the last active first')
    .option('--agent <name>', 'only of that agent: claude-code, codex or gemini')
    .addOption(
      new Option('--state <state>', 'only in that state').choices(['active', 'idle', 'ended']),
    )
    .addOption(limitOption(limits.pageItemsDefault))
    .action((wish: ListWish) => listSessions(run.client(), run.output, wish));
  sessions
    .command('show')
    .description('all that is known of a session')
    .argument('<id>', 'its id, or the beginning of it')
    .option('--events <count>', 'that many of its events, too', wholeNumber(0), 0)
    .action((id: string, { events }: { events: number }) =>
      showSession(run.client(), run.output, id, events),
    );
  sessions
    .command('watch')
    .description('follow a session, or all: its events and, as they change, its totals')
    .argument('[id]', 'its id, or the beginning of it')
    .addOption(countOption())
    .action((id: string | undefined, { count }: { count: number }) =>
      watchSessions(run.client(), run.output, id, count),
    );
}

function addEvents(program: Command, run: Run): void {
  program
    .command('events')
    .description('the log of events')
    .command('tail')
    .description('follow the log')
    .option('--session <id>', 'only of that session (the beginning of its id is enough)')
    .option('--type <type>', 'only of that type, such as UsageRecorded')
    .option('--after <position>', 'from after that position; 0 is the beginning', position)
    .addOption(countOption())
    .action((wish: TailWish) => tailEvents(run.client(), run.output, wish));
}

function addCare(program: Command, run: Run): void {
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
