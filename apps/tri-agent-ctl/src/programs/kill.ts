import type { Command } from 'commander';
import { longText, shortText } from '../dispatch/options.js';
import type { KillWish } from '../commands/kill.js';
import type { LightRun } from '../light-run.js';

const help = `
What is ended gets TERM, KILL after 5 s, with all that it has started, and it is looked at whether it has
ended. Tasks are paused by that, not lost: "tasks resume" carries on the same conversation. With "all",
nothing more is claimed until "queue resume".

Exit code 1: something may still run.`;

/** What it needs is loaded when it is used. */
export function addKill(program: Command, run: LightRun): void {
  const kill = program
    .command('kill')
    .description('end agents at once, and see that they have ended');
  const nouns = [
    ['task', 'the attempt of a task that runs', true],
    [
      'session',
      "a session's agent, also one that a person started and that its hooks have told of",
      true,
    ],
    ['worker', 'all that a worker runs', true],
    ['all', 'every agent that is known, and shut the queue', false],
  ] as const;
  for (const [noun, description, hasId] of nouns) {
    const command = kill.command(noun).description(description);
    if (hasId) command.argument('<id>', 'its id', shortText);
    command
      .option('--reason <text>', 'why, for the audit', longText)
      .option('--dry-run', 'only show what would be ended', false)
      .option('--yes', 'do not ask', false)
      .addHelpText('after', help)
      .action(async (...given: [string, KillWish] | [KillWish]) => {
        const [id, wish] = hasId ? (given as [string, KillWish]) : ['', given[0] as KillWish];
        const { killAgents } = await import('../commands/kill.js');
        run.exit = await killAgents(await run.asker(), run.output, noun, id, wish);
      });
  }
  kill
    .command('list')
    .description('what was ended of late, and whether it was')
    .action(async () => {
      const { listKills } = await import('../commands/kill.js');
      await listKills(await run.asker(), run.output);
    });
}
