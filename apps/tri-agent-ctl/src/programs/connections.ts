import type { Command } from 'commander';
import { connectAgent, type ConnectWish } from '../commands/connect.js';
import { listConnections } from '../commands/connections.js';
import { disconnectAgent, type DisconnectWish } from '../commands/disconnect.js';
import { agents } from '../connect/agents.js';
import { fileOption, scopeOption } from '../options.js';
import type { Run } from '../run.js';
import { findServer } from '../server.js';

export function addConnections(program: Command, run: Run): void {
  const connect = program
    .command('connect')
    .description('make an agent report here; alone: which of them do')
    .action(() => listConnections(run.client(), run.output));
  const disconnect = program.command('disconnect').description('undo connect');
  for (const agent of agents) {
    connect
      .command(agent.word)
      .description(`${agent.title}: prints the settings, or writes them`)
      .option('--write', 'merge them into the settings file (a backup is made)', false)
      .option('--dry-run', 'show what --write would change', false)
      .option('--force', 'also where they report elsewhere', false)
      .addOption(scopeOption())
      .addOption(fileOption())
      .action((wish: ConnectWish) => connectAgent(agent, run.client(), run.output, wish));
    disconnect
      .command(agent.word)
      .description(`${agent.title}: puts back what "connect ${agent.word} --write" changed`)
      .option('--dry-run', 'only show what would change', false)
      .addOption(scopeOption())
      .addOption(fileOption())
      .action((wish: DisconnectWish) =>
        disconnectAgent(agent, findServer(run.io), run.output, wish),
      );
  }
}
