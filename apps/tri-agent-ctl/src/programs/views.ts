import type { Command } from 'commander';
import { limits } from '#kernel/limits.js';
import { Option } from 'commander';
import type { ListWish } from '../commands/sessions.js';
import type { TailWish } from '../commands/events.js';
import type { TopWish } from '../commands/top.js';
import type { LightRun } from '../light-run.js';
import { countOption, limitOption, position, wholeNumber } from '../options.js';

export function addViews(program: Command, run: LightRun): void {
  program
    .command('status')
    .description('how the server is')
    .action(async () => {
      const { showStatus } = await import('../commands/status.js');
      return showStatus(await run.asker(), run.output);
    });
  program
    .command('top')
    .description('sessions as a live table; q leaves')
    .option('--all', 'sessions that have ended, too', false)
    .addOption(limitOption(200))
    .action(async (wish: TopWish) => {
      const { top } = await import('../commands/top.js');
      return top(await run.asker(), run.output, wish);
    });
  program
    .command('watch')
    .description('sessions that are silent while a model works for them, and agents in a loop')
    .action(async () => {
      const { watchAgents } = await import('../commands/watch-agents.js');
      return watchAgents(await run.asker(), run.output);
    });
  addSessions(program, run);
  addEvents(program, run);
}

function addSessions(program: Command, run: LightRun): void {
  const sessions = program.command('sessions').description('sessions of agents');
  sessions
    .command('list', { isDefault: true })
    .description('the sessions, the last active first')
    .option('--agent <name>', 'only of that agent: claude-code, codex or gemini')
    .addOption(
      new Option('--state <state>', 'only in that state').choices(['active', 'idle', 'ended']),
    )
    .addOption(limitOption(limits.pageItemsDefault))
    .action(async (wish: ListWish) => {
      const { listSessions } = await import('../commands/sessions.js');
      return listSessions(await run.asker(), run.output, wish);
    });
  sessions
    .command('show')
    .description('all that is known of a session')
    .argument('<id>', 'its id, or the beginning of it')
    .option('--events <count>', 'that many of its events, too', wholeNumber(0), 0)
    .action(async (id: string, { events }: { events: number }) => {
      const { showSession } = await import('../commands/sessions.js');
      return showSession(await run.asker(), run.output, id, events);
    });
  sessions
    .command('watch')
    .description('follow a session, or all: its events and, as they change, its totals')
    .argument('[id]', 'its id, or the beginning of it')
    .addOption(countOption())
    .action(async (id: string | undefined, { count }: { count: number }) => {
      const { watchSessions } = await import('../commands/watch.js');
      return watchSessions(await run.asker(), run.output, id, count);
    });
}

function addEvents(program: Command, run: LightRun): void {
  program
    .command('events')
    .description('the log of events')
    .command('tail')
    .description('follow the log')
    .option('--session <id>', 'only of that session (the beginning of its id is enough)')
    .option('--type <type>', 'only of that type, such as UsageRecorded')
    .option('--after <position>', 'from after that position; 0 is the beginning', position)
    .addOption(countOption())
    .action(async (wish: TailWish) => {
      const { tailEvents } = await import('../commands/events.js');
      return tailEvents(await run.asker(), run.output, wish);
    });
}
