import type { Command } from 'commander';
import { limits } from '#kernel/limits.js';
import type { CoverageWish } from '../commands/coverage.js';
import { limitOption, moment } from '../options.js';
import type { Run } from '../run.js';

/** What telemetry told of what the agents' own files say. */
export function addCoverage(program: Command, run: Run): void {
  program
    .command('coverage')
    .description("how much of what the agents' own files say telemetry has told")
    .argument('[session]', 'only that session, with every gap: its id, or the beginning of it')
    .option('--agent <name>', 'only of that agent: claude-code, codex or gemini')
    .option('--since <when>', 'only sessions that were active since then', moment(run))
    .addOption(limitOption(limits.pageItemsDefault))
    .action(async (id: string | undefined, wish: CoverageWish) => {
      const { listCoverage, showCoverage } = await import('../commands/coverage.js');
      if (id === undefined) await listCoverage(run.client(), run.output, wish);
      else await showCoverage(run.client(), run.output, id);
    });
}
