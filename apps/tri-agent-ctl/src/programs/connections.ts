import { Option, type Command } from 'commander';
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
    const connecting = connect
      .command(agent.word)
      .description(`${agent.title}: prints the settings, or writes them`)
      .option('--write', 'merge them into the settings file (a backup is made)', false)
      .option('--dry-run', 'show what --write would change', false)
      .option('--force', 'also where they report elsewhere', false)
      .addOption(scopeOption())
      .addOption(fileOption())
      .action((wish: ConnectWish) => connectAgent(agent, run.client(), run.output, wish));
    if (agent.hooks !== undefined) connecting.addOption(hooksOption());
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

function hooksOption(): Option {
  return new Option(
    '--hooks <mode>',
    'hooks that tell of sessions and ask whether they may go on; where the server does not answer they do (open) or stop (closed)',
  )
    .choices(['open', 'closed', 'none'])
    .default('open');
}
