import { Option, type Command } from 'commander';
import { limits } from '#kernel/limits.js';
import type { ReapWish } from '../commands/reap.js';
import { span } from '../options.js';
import { formatDuration } from '../render/times.js';
import type { Run } from '../run.js';

const help = `
Ended are processes of attempts of which the server says that they have ended, or that run for longer
than --older-than: TERM, KILL after ${limits.processGraceMs / 1_000} s, until all that belongs to them is gone. What the server does not
know, or cannot be asked about, is left alone. Agents that people started are reported when they are
older than that, and ended only with --all-agents.

Exit code 1: something that should have ended still runs, or the server could not be asked.`;

/** What it needs is loaded when it is used. */
export function addReap(program: Command, run: Run): void {
  program
    .command('reap')
    .description("end what attempts have left running on this host, and find people's old agents")
    .option('--dry-run', 'only tell what would be done', false)
    .addOption(
      new Option('--older-than <time>', 'how long an attempt or an agent may run')
        .argParser(span)
        .default(limits.attemptMsMax, formatDuration(limits.attemptMsMax)),
    )
    .option('--all-agents', 'end old agents that people started, too', false)
    .option('--yes', 'do not ask', false)
    .addHelpText('after', help)
    .action(async (wish: ReapWish) => {
      const { reap } = await import('../commands/reap.js');
      run.exit = await reap(run.client(), run.output, wish);
    });
}
