import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { limits } from '#kernel/limits.js';
import { ConfigError, loadConfig, type Config } from '#platform/config.js';
import { findProgram } from '#platform/find-program.js';
import { clean, clip } from '#platform/harmless-text.js';
import { versionOf } from '#platform/program-version.js';
import { SingletonLock } from '#platform/singleton-lock.js';
import { runners } from './agents/runners.js';
import { containmentText, findContainment, type Containment } from './containment/containment.js';
import { Refused, ServerClient } from './server-client.js';
import { Worker, type FoundAgent } from './worker.js';

const failed = 1;
const misused = 2;
const shards = ['impl', 'review', 'architect'] as const;

interface Options {
  readonly name: string;
  readonly shards: readonly string[];
  readonly slots: number;
  readonly pool?: true;
  readonly root: readonly string[];
  readonly maySkipPermissions?: true;
  readonly passVariable: readonly string[];
}

/** Runs agents on this host for the tasks that the server has queued, until a signal ends it. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('tri-agent-worker')
    .description('Runs AI coding agents on this host for the tasks that the server has queued.')
    .exitOverride()
    .option('--name <name>', 'tells workers of one host apart', shortName, 'worker')
    .addOption(
      new Option('--shards <list>', 'the kinds of work that are its own')
        .default([...shards], shards.join(','))
        .argParser(listOfShards),
    )
    .addOption(
      new Option('--slots <n>', 'how many agents at once').default(1).argParser(countOfSlots),
    )
    .option('--pool', 'three workers instead of one: impl, review and architect')
    .option('--root <folder...>', 'where agents may work (default: your home folder)', [homedir()])
    .option('--pass-variable <name...>', 'variables of the environment that agents get, too', [])
    .option(
      '--may-skip-permissions',
      'let tasks that ask for it run without any permission check: they can then do all that you can',
    )
    .action(work);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = explain(error);
  }
}

async function work(options: Options): Promise<void> {
  const { config } = loadConfig(process.env);
  const agents = await findAgents();
  if (agents.length === 0) {
    const variables = runners.map(({ program }) => program.variable).join(', ');
    console.error(
      `No workers run here, for no agent's command line is found on PATH: queued tasks wait. Install one, or name it with ${variables}.`,
    );
    process.exitCode = failed;
    return;
  }
  const containment = await findContainment(config.containment);
  const titles = agents.map(({ runner }) => runner.title).join(', ');
  console.log(`tri-agent-worker runs ${titles}; ${containmentText(containment)}`);
  const pool = options.pool
    ? shards.map((shard) => ({ name: shard, shards: [shard] }))
    : [{ name: options.name, shards: options.shards }];
  for (const { name } of pool) holdFolder(folderOf(config, name), name);
  const workers = pool.map((it) => makeWorker(it, options, agents, containment, config));
  const stop = (): void => {
    for (const it of workers) it.stop('The worker was stopped.');
  };
  void Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(stop);
  await Promise.all(workers.map((it) => it.run()));
  process.exit();
}

async function findAgents(): Promise<FoundAgent[]> {
  const found = await Promise.all(
    runners.map(async (runner): Promise<FoundAgent[]> => {
      const program = await findProgram(runner.program, process.env);
      if (program === undefined) return [];
      return [{ runner, program, version: (await versionOf(program, withoutOurs)) ?? null }];
    }),
  );
  return found.flat();
}

/** The server's tokens are none of an agent's business, whatever it is asked. */
const withoutOurs = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('TRI_AGENT_')),
);

function makeWorker(
  { name, shards: own }: { readonly name: string; readonly shards: readonly string[] },
  options: Options,
  agents: readonly FoundAgent[],
  containment: Containment,
  config: Config,
): Worker {
  const { slots, root, maySkipPermissions = false, passVariable } = options;
  const url = config.url ?? `http://127.0.0.1:${config.httpPort}`;
  // Without a token: whatever an agent is given it can read.
  const telemetry = {
    endpoint: `http://${new URL(url).hostname}:${config.otlpHttpPort}`,
    token: null,
  };
  return new Worker({
    name,
    folder: folderOf(config, name),
    shards: own,
    slots,
    agents,
    containment,
    roots: root.map((it) => resolve(it)),
    operator: new ServerClient(url, tokenOf(config)),
    run: {
      maySkipPermissions,
      environment: process.env,
      passedVariables: passVariable,
      telemetry,
    },
    say: (line) => {
      // Of what agents say, nothing that a terminal could act upon.
      console.log(`${name}: ${clip(clean(line), limits.lineCharactersMax)}`);
    },
  });
}

function folderOf({ home }: Config, name: string): string {
  return join(home, 'workers', name);
}

/** Kept, for what is collected lets go. */
const locks: SingletonLock[] = [];

/** Two processes in one folder would end each other's agents. The system lets go of it when we end. */
function holdFolder(folder: string, name: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = SingletonLock.acquire(join(folder, 'lock'));
  if (lock !== undefined) {
    locks.push(lock);
    return;
  }
  throw new ConfigError(
    `A worker named "${name}" runs already on this data folder. Stop it, or give this one another --name.`,
  );
}

function tokenOf({ token, home }: Config): string {
  if (token !== null) return token;
  try {
    return readFileSync(join(home, 'token'), 'utf8').trim();
  } catch {
    throw new ConfigError(
      `There is no token in ${home}. Start the server first, or set TRI_AGENT_TOKEN to its token.`,
    );
  }
}

function shortName(text: string): string {
  if (/^[\w-]{1,40}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 40 letters, digits, - or _.');
}

function listOfShards(text: string): string[] {
  const named = text.split(',').map((it) => it.trim());
  const unknown = named.find((it) => !(shards as readonly string[]).includes(it));
  if (unknown === undefined) return named;
  throw new InvalidArgumentError(`There is no shard "${unknown}": name ${shards.join(', ')}.`);
}

function countOfSlots(text: string): number {
  const slots = Number(text);
  if (Number.isInteger(slots) && slots >= 1 && slots <= limits.slotsPerWorkerMax) return slots;
  throw new InvalidArgumentError(`It must be 1 to ${limits.slotsPerWorkerMax}.`);
}

/** One sentence for what a person can mend; anything else is a bug and keeps its stack. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misused;
  if (error instanceof ConfigError || error instanceof Refused) {
    console.error(error.message);
    return failed;
  }
  console.error(error);
  return failed;
}
