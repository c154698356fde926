import type { Command } from 'commander';
import { limits } from '#kernel/limits.js';
import type { NoticesWish } from '../commands/notices.js';
import type { AddWish } from '../commands/webhooks.js';
import { longText, several, shortText } from '../dispatch/options.js';
import type { LightRun } from '../light-run.js';
import { limitOption } from '../options.js';

const kindsMax = 50;

/** Who is told of what happens. */
export function addNotify(program: Command, run: LightRun): void {
  program
    .command('notices')
    .description('what people were told of: budgets, loops, silence, kills, parked tasks')
    .addOption(limitOption(limits.pageItemsDefault))
    .option('--kind <kind>', 'only of that kind, such as budget.tripped', shortText)
    .option('--severity <severity>', 'only info, warning or critical', shortText)
    .action(async (wish: NoticesWish) => {
      const { listNotices } = await import('../commands/notices.js');
      return listNotices(await run.asker(), run.output, wish);
    });
  const webhooks = program.command('webhooks').description('where notices are sent to');
  webhooks
    .command('list', { isDefault: true })
    .description('the webhooks, and whether they get what they are sent')
    .action(async () => {
      const { listWebhooks } = await import('../commands/webhooks.js');
      return listWebhooks(await run.asker(), run.output);
    });
  addChanges(webhooks, run);
  webhooks
    .command('test')
    .description('send a test and show what comes back')
    .argument('<id>', 'its id', shortText)
    .action(async (id: string) => {
      const { testWebhook } = await import('../commands/webhooks.js');
      run.exit = await testWebhook(await run.asker(), run.output, id);
    });
}

const secretFile = [
  '--secret-file <file>',
  'a secret of your own (whsec_...), from a file or - for what is piped in; else one is made',
] as const;

function addChanges(webhooks: Command, run: LightRun): void {
  webhooks
    .command('add')
    .description('have notices sent to a URL, signed as Standard Webhooks says')
    .argument('<url>', 'https:// and on the public internet, unless --allow-private')
    .option(
      '--kind <kind>',
      'only such notices, such as kill.failed; may be repeated',
      several(kindsMax),
    )
    .option('--allow-private', 'it may be on this host or in a private network, and http://', false)
    .option(...secretFile)
    .action(async (url: string, wish: AddWish) => {
      const { addWebhook } = await import('../commands/webhooks.js');
      return addWebhook(await run.asker(), run.output, url, wish);
    });
  webhooks
    .command('rotate')
    .description('another secret; the old one is used beside it for a day')
    .argument('<id>', 'its id', shortText)
    .option(...secretFile)
    .action(async (id: string, wish: Pick<AddWish, 'secretFile'>) => {
      const { rotateSecret } = await import('../commands/webhooks.js');
      return rotateSecret(await run.asker(), run.output, id, wish);
    });
  webhooks
    .command('remove')
    .description('send nothing to it any more; what waits for it is given up')
    .argument('<id>', 'its id', shortText)
    .option('--reason <text>', 'why', longText)
    .action(async (id: string, wish: { readonly reason?: string }) => {
      const { removeWebhook } = await import('../commands/webhooks.js');
      return removeWebhook(await run.asker(), run.output, id, wish);
    });
}
