import type { Command } from 'commander';
import { limits } from '#kernel/limits.js';
import type { GateVerb } from '../commands/queue.js';
import {
  addScopeOptions,
  longText,
  scopeOf,
  shortText,
  wipLimit,
  type ScopeWish,
} from '../dispatch/options.js';
import type { LightRun } from '../light-run.js';
import { limitOption } from '../options.js';

/** The queue as a whole, and who works on it. */
export function addQueue(program: Command, run: LightRun): void {
  const queue = program.command('queue').description('the queue as a whole');
  queue
    .command('stats', { isDefault: true })
    .description('how much waits for what, and how loaded each shard is')
    .action(async () => {
      const { showQueue } = await import('../commands/queue-stats.js');
      return showQueue(await run.asker(), run.output);
    });
  addGates(queue, run);
  program
    .command('lanes')
    .description('the lanes, and how long they wait')
    .action(async () => {
      const { listLanes } = await import('../commands/lanes.js');
      return listLanes(await run.asker(), run.output);
    });
  addDeadLetters(program, run);
  addWorkers(program, run);
}

const gates: Readonly<Record<GateVerb, string>> = {
  pause: 'claim nothing for now; what runs goes on',
  resume: 'claim again',
  drain: 'claim nothing more, to be empty when what runs has ended',
};

function addGates(queue: Command, run: LightRun): void {
  for (const [name, description] of Object.entries(gates)) {
    addScopeOptions(queue.command(name).description(description))
      .option('--reason <text>', 'why', longText)
      .action(async ({ reason, ...scope }: ScopeWish & { readonly reason?: string }) => {
        const { changeGate } = await import('../commands/queue.js');
        const wish = { scope: scopeOf(scope), ...(reason !== undefined && { reason }) };
        return changeGate(await run.asker(), run.output, name as GateVerb, wish);
      });
  }
  addScopeOptions(queue.command('limit').description('how many attempts may run at once'))
    .argument('<limit>', 'a number, or none', wipLimit)
    .action(async (limit: number | null, wish: ScopeWish) => {
      const { limitQueue } = await import('../commands/queue.js');
      return limitQueue(await run.asker(), run.output, { scope: scopeOf(wish), limit });
    });
}

function addDeadLetters(program: Command, run: LightRun): void {
  const letters = program
    .command('dead-letter')
    .description('tasks that were tried in vain, or parked');
  letters
    .command('list', { isDefault: true })
    .description('the dead letters, the newest first')
    .addOption(limitOption(limits.pageItemsDefault))
    .action(async ({ limit }: { readonly limit: number }) => {
      const { listDeadLetters } = await import('../commands/tasks.js');
      return listDeadLetters(await run.asker(), run.output, limit);
    });
  letters
    .command('replay')
    .description('have dead letters run again')
    .argument('[id...]', 'their ids')
    .option('--all', 'all that there are', false)
    .action(async (ids: string[], wish: { readonly all: boolean }) => {
      const { replay } = await import('../commands/dead-letters.js');
      run.exit = await replay(await run.asker(), run.output, ids, wish);
    });
}

function addWorkers(program: Command, run: LightRun): void {
  const workers = program.command('workers').description('who works on the queue');
  workers
    .command('list', { isDefault: true })
    .description('the workers, and what they hold')
    .action(async () => {
      const { listWorkers } = await import('../commands/workers.js');
      return listWorkers(await run.asker(), run.output);
    });
  workers
    .command('show')
    .description('what is known of a worker')
    .argument('<id>', 'its id', shortText)
    .action(async (id: string) => {
      const { showWorker } = await import('../commands/workers.js');
      return showWorker(await run.asker(), run.output, id);
    });
  workers
    .command('drain')
    .description('have a worker claim nothing more; what it runs goes on')
    .argument('<id>', 'its id', shortText)
    .option('--reason <text>', 'why', longText)
    .action(async (id: string, { reason }: { readonly reason?: string }) => {
      const { changeGate } = await import('../commands/queue.js');
      const wish = { scope: `worker:${id}`, ...(reason !== undefined && { reason }) };
      return changeGate(await run.asker(), run.output, 'drain', wish);
    });
  workers
    .command('stop')
    .alias('leave')
    .description('dismiss a worker: its agents end, what it holds is given back')
    .argument('<id>', 'its id', shortText)
    .option('--reason <text>', 'why', longText)
    .action(async (id: string, wish: { readonly reason?: string }) => {
      const { dismissWorker } = await import('../commands/workers.js');
      return dismissWorker(await run.asker(), run.output, id, wish);
    });
}
