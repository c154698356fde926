import type { Command } from 'commander';
import { limits } from '#kernel/limits.js';
import type { ApplyWish } from '../commands/prices-apply.js';
import type { ImportWish } from '../commands/prices-import.js';
import type { PricesWish, SetWish } from '../commands/prices.js';
import { dollars, moment, wholeNumber } from '../options.js';
import type { Run } from '../run.js';

const fileHelp = `
The file, JSON or CSV, holds at most ${limits.pricesPerPublicationMax} prices, in US dollars per million tokens:

  {"source": "our contract", "prices": [{"provider": "anthropic", "model": "claude-sonnet-4-5",
    "tier": "standard", "promptTokensAbove": 0, "validFrom": "2026-01-01", "validUntil": null,
    "usdPerMillionTokens": {"input": "3", "output": "15", "cacheRead": "0.3",
      "cacheCreation": "3.75", "cacheCreation1h": "6"}}]}

  provider,model,tier,promptTokensAbove,validFrom,validUntil,input,output,cacheRead,cacheCreation,cacheCreation1h
  anthropic,claude-sonnet-4-5,standard,0,2026-01-01,,3,15,0.3,3.75,6

Needed are provider, model, input and output. What is left out: the standard tier, prompts of every
size, for ever, and unknown prices of cached tokens. A model's name is that of its dated snapshots,
too; with a * at its end it is every name that begins so. What is wrong is reported by line or entry,
and the rest goes in; of prices that overlap none goes in. Exit code 1: something was refused.`;

/** The price book. What its commands need is loaded when one is used. */
export function addPrices(program: Command, run: Run): void {
  const prices = program.command('prices').description('what model requests cost');
  prices
    .command('list', { isDefault: true })
    .description('the price book, in US dollars per million tokens')
    .option('--model <text>', 'only models with this in their name')
    .option('--provider <name>', 'only of that provider: anthropic, openai, google')
    .option('--all', 'prices that were superseded, too', false)
    .action(async (wish: PricesWish) => {
      const { listPrices } = await import('../commands/prices.js');
      await listPrices(run.client(), run.output, wish);
    });
  prices
    .command('missing')
    .description('models that were used and have no price')
    .option('--all', 'those that have one by now, too', false)
    .action(async (wish: { all: boolean }) => {
      const { listMissing } = await import('../commands/prices.js');
      await listMissing(run.client(), run.output, wish);
    });
  prices
    .command('import')
    .description('publish the prices of a file')
    .argument('<file>', 'JSON or CSV')
    .option('--source <text>', 'where the figures were taken from')
    .addHelpText('after', fileHelp)
    .action(async (file: string, wish: ImportWish) => {
      const { importPrices } = await import('../commands/prices-import.js');
      run.exit = await importPrices(run.client(), run.output, file, wish);
    });
  addSet(prices, run);
  prices
    .command('apply')
    .description("have past costs computed anew by today's prices; what agents reported stays")
    .requiredOption(
      '--since <when>',
      'usage since then: 24h, 30d, a date or an ISO time',
      moment(run),
    )
    .option('--until <when>', 'usage before then', moment(run))
    .option('--dry-run', 'only tell what would change', false)
    .action(async (wish: ApplyWish) => {
      const { applyPrices } = await import('../commands/prices-apply.js');
      await applyPrices(run.client(), run.output, wish);
    });
}

function addSet(prices: Command, run: Run): void {
  prices
    .command('set')
    .description('publish one price, in US dollars per million tokens')
    .argument('<model>', 'its name; with a * at its end, all names that begin so')
    .requiredOption('--provider <name>', 'who sells it: anthropic, openai, google')
    .requiredOption('--input <usd>', 'tokens in, not cached', dollars)
    .requiredOption('--output <usd>', 'tokens out', dollars)
    .option('--cache-read <usd>', 'tokens read from a cache; unknown without', dollars)
    .option('--cache-creation <usd>', 'tokens written to a cache; unknown without', dollars)
    .option('--cache-creation-1h <usd>', 'tokens written to a cache for an hour', dollars)
    .option('--tier <name>', 'as the client names it', 'standard')
    .option(
      '--above <tokens>',
      'only for prompts with more tokens; set the price for all prompts first',
      wholeNumber(0, limits.promptTokensAboveMax),
      0,
    )
    .option('--from <when>', 'from that time on; for ever without', moment(run))
    .option('--until <when>', 'before that time', moment(run))
    .option('--source <text>', 'where the figures were taken from')
    .action(async (model: string, wish: SetWish) => {
      const { setPrice } = await import('../commands/prices.js');
      await setPrice(run.client(), run.output, model, wish);
    });
}
