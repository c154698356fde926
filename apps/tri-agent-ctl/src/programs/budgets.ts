import { InvalidArgumentError, Option, type Command } from 'commander';
import { limits } from '#kernel/limits.js';
import { windows } from '../budgets/words.js';
import { longText, shortText } from '../dispatch/options.js';
import type { LightRun } from '../light-run.js';
import { dollars, limitOption, wholeNumber } from '../options.js';
import { usageFailure } from '../output.js';

/** What may be spent. */
export function addBudgets(program: Command, run: LightRun): void {
  const budgets = program.command('budgets').description('what may be spent, and what was');
  budgets
    .command('list', { isDefault: true })
    .description('the budgets, and how far each has come')
    .action(async () => {
      const { listBudgets } = await import('../commands/budgets.js');
      return listBudgets(await run.asker(), run.output);
    });
  named(budgets, 'show', 'one budget').action(async (id: string) => {
    const { showBudget } = await import('../commands/budgets.js');
    return showBudget(await run.asker(), run.output, id);
  });
  named(budgets, 'history', 'what has happened to it, the newest first')
    .addOption(limitOption(limits.pageItemsDefault))
    .action(async (id: string, { limit }: { readonly limit: number }) => {
      const { budgetHistory } = await import('../commands/budgets.js');
      return budgetHistory(await run.asker(), run.output, id, limit);
    });
  addSet(budgets, run);
  addMoves(budgets, run);
}

function named(budgets: Command, verb: string, description: string): Command {
  return budgets
    .command(verb)
    .description(description)
    .argument('<id>', 'its id, such as "day"', shortText);
}

function withLimit(command: Command): Command {
  return command
    .addOption(
      new Option('--limit-usd <dollars>', 'US dollars, such as 20')
        .argParser(dollars)
        .conflicts('limitTokens'),
    )
    .addOption(
      new Option('--limit-tokens <count>', 'tokens, instead of money').argParser(
        wholeNumber(1, limits.budgetLimitTokensMax),
      ),
    );
}

type Step = number | 'none';

interface SetWish {
  readonly scope?: string;
  readonly per?: string;
  readonly timezone?: string;
  readonly limitUsd?: string;
  readonly limitTokens?: number;
  readonly warn?: Step;
  readonly gate?: Step;
  readonly pause?: Step;
  readonly reason?: string;
}

function addSet(budgets: Command, run: LightRun): void {
  withLimit(named(budgets, 'set', 'make a budget, or change it; what is left out stays'))
    .option(
      '--scope <scope>',
      'whose spend: "all", or such as team:core, project:, user:, agent:, model:, task:, session:',
      shortText,
    )
    .addOption(new Option('--per <window>', 'over which time it adds up').choices([...windows]))
    .option('--timezone <zone>', 'where its days, weeks and months begin', shortText)
    .option('--warn <percent>', 'say so; or none', step)
    .option('--gate <percent>', 'begin nothing new; or none', step)
    .option('--pause <percent>', 'stop what runs so that it can go on; or none', step)
    .option('--reason <text>', 'why', longText)
    .action(async (id: string, { per, warn, gate, pause, ...wish }: SetWish) => {
      const steps = Object.entries({ warn, gate, pause })
        .filter(([, at]) => at !== undefined)
        .map(([name, at]) => [name, at === 'none' ? null : at] as const);
      const { setBudget } = await import('../commands/budgets.js');
      return setBudget(await run.asker(), run.output, id, {
        ...wish,
        ...(per !== undefined && { window: per }),
        ...(steps.length > 0 && { thresholds: Object.fromEntries(steps) }),
      });
    });
}

function addMoves(budgets: Command, run: LightRun): void {
  withLimit(named(budgets, 'raise', 'a higher limit; what was paused may go on'))
    .requiredOption('--reason <text>', 'why', longText)
    .action(async (id: string, wish: Pick<SetWish, 'limitUsd' | 'limitTokens'>) => {
      if (wish.limitUsd === undefined && wish.limitTokens === undefined) {
        throw usageFailure('A raise needs a limit.', 'Say --limit-usd 100, or --limit-tokens.');
      }
      const { moveBudget } = await import('../commands/budgets.js');
      return moveBudget(await run.asker(), run.output, 'raise', id, wish);
    });
  named(budgets, 'reset', 'end a trip, once the window holds less than the limit')
    .requiredOption('--reason <text>', 'why', longText)
    .action(async (id: string, wish: { readonly reason: string }) => {
      const { moveBudget } = await import('../commands/budgets.js');
      return moveBudget(await run.asker(), run.output, 'reset', id, wish);
    });
  named(budgets, 'remove', 'remove a budget, and what it holds')
    .requiredOption('--reason <text>', 'why', longText)
    .action(async (id: string, { reason }: { readonly reason: string }) => {
      const { removeBudget } = await import('../commands/budgets.js');
      return removeBudget(await run.asker(), run.output, id, reason);
    });
}

/** Percent of the limit. */
function step(text: string): Step {
  if (text === 'none') return text;
  const percent = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (percent >= 1) return percent;
  throw new InvalidArgumentError('It must be 1 to 99 (percent of the limit), or none.');
}
