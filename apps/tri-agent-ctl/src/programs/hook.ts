import { Argument, type Command } from 'commander';
import type { HookWish } from '../commands/hook.js';
import type { LightRun } from '../light-run.js';
import { wholeNumber } from '../options.js';

/** Agents run it, as `connect` wrote it into their settings. */
export function addHook(program: Command, run: LightRun): void {
  program
    .command('hook', { hidden: true })
    .description("hand on what an agent's hook was given on stdin, and print what it is answered")
    .addArgument(new Argument('<agent>').choices(['claude-code', 'codex', 'gemini']))
    .requiredOption('--url <url>', 'where the server is')
    .requiredOption('--token-file <path>', 'what opens it for hooks')
    .option('--parent <pid>', 'the process of the agent', wholeNumber(2, 2 ** 31))
    .option('--closed', 'stop the agent when the server does not answer', false)
    .action(async (agent: string, wish: HookWish) => {
      const { tellHook } = await import('../commands/hook.js');
      run.exit = await tellHook(agent, run.io, wish);
    });
}
