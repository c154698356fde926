import { Argument, type Command } from 'commander';
import type { ImportedAgent, ImportWish } from '../commands/import.js';
import type { Run } from '../run.js';

/** Loaded only when it is asked for: most commands are to start without it. */
export function addImport(program: Command, run: Run): void {
  program
    .command('import')
    .description('read the usage that agents have left on disk, and send it to the server')
    .addArgument(
      new Argument('[agent]', 'whose').choices(['claude', 'codex', 'gemini', 'all']).default('all'),
    )
    .option('--path <path>', 'a folder or file, instead of where agents leave theirs')
    .option('--watch', 'go on as more is written', false)
    .option('--dry-run', 'read and count, send nothing', false)
    .action(async (agent: ImportedAgent, wish: ImportWish) => {
      const { importTranscripts } = await import('../commands/import.js');
      await importTranscripts(run, agent, wish);
    });
}
