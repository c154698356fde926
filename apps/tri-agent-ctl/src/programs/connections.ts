import type { Command } from 'commander';
import { connectClaude, type ConnectWish } from '../commands/connect.js';
import { disconnectClaude, type DisconnectWish } from '../commands/disconnect.js';
import { fileOption, scopeOption } from '../options.js';
import type { Run } from '../run.js';
import { findServer } from '../server.js';

export function addConnections(program: Command, run: Run): void {
  program
    .command('connect')
    .description('make an agent report here')
    .command('claude')
    .description('Claude Code: prints the settings, or writes them')
    .option('--write', 'merge them into the settings file (a backup is made)', false)
    .option('--dry-run', 'show what --write would change', false)
    .option('--force', 'also where they report elsewhere', false)
    .addOption(scopeOption())
    .addOption(fileOption())
    .action((wish: ConnectWish) => connectClaude(run.client(), run.output, wish));
  program
    .command('disconnect')
    .description('undo connect')
    .command('claude')
    .description('Claude Code: puts back what "connect claude --write" changed')
    .option('--dry-run', 'only show what would change', false)
    .addOption(scopeOption())
    .addOption(fileOption())
    .action((wish: DisconnectWish) => disconnectClaude(findServer(run.io), run.output, wish));
}
