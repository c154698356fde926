import { Argument, Option, type Command } from 'commander';
import type { LightRun } from '../light-run.js';
import { cutWords, cuts, names } from '../usage/cuts.js';
import type { UsageWish } from '../usage/question.js';

export function addUsage(program: Command, run: LightRun): void {
  const usage = program
    .command('usage')
    .description('requests, tokens and cost, summed up; "usage models" compares models')
    .addArgument(new Argument('[cut]', 'by what, day at first').choices(cutWords))
    .addOption(new Option('--by <what>', 'the same as an option').choices(cuts))
    .addOption(new Option('--breakdown <what>', 'cut each group once more').choices(names))
    .option('--since <when>', 'from: 30m, 24h, 7d, today, a date or an ISO time')
    .option('--until <when>', 'up to: the same forms')
    .option('--timezone <name>', 'where days begin, such as Europe/Berlin; as here at first')
    .option('--session <id>', 'only of that session (the beginning of its id is enough)')
    .option('--csv', 'print CSV, a row a group, money with all its digits', false);
  for (const name of names) {
    if (name !== 'session') usage.option(`--${name} <name>`, `only of that ${name}`);
  }
  usage.action(async (word: string | undefined, wish: UsageWish) => {
    const { showUsage } = await import('../commands/usage.js');
    return showUsage(await run.asker(), run.output, word, wish);
  });
}
