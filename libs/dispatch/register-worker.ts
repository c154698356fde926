import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { agentName, type AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { Caller } from '#platform/caller.js';
import { Dispatcher } from './dispatcher.js';
import { workerOf } from './dispatch-state.js';
import { beatEveryMs } from './signs.js';
import { actorOf, makeWorkerToken, mustSpeakFor } from './worker-tokens.js';
import type { Registered, WorkerBody } from './workers.shapes.js';

/** A worker comes, or comes back with other abilities. */
export class RegisterWorker extends Command<Registered> {
  constructor(
    readonly wanted: WorkerBody,
    readonly caller: Caller,
  ) {
    super();
  }
}

/** Where an agent's models are unless its seat says otherwise. */
const providers: Readonly<Record<AgentName, string>> = {
  'claude-code': 'anthropic',
  codex: 'openai',
  gemini: 'google',
};

@CommandHandler(RegisterWorker)
export class RegisterWorkerHandler implements ICommandHandler<RegisterWorker> {
  constructor(private readonly dispatcher: Dispatcher) {}

  async execute({ wanted, caller }: RegisterWorker): Promise<Registered> {
    const { host, shards, slots, agents = [], containment } = wanted;
    const workerId = await this.idOf(wanted, caller);
    const { token, tokenHash } = makeWorkerToken(workerId);
    const abilities = { host, shards, slots, seats: seatsOf(wanted), agents, containment };
    const worker = { workerId, tokenHash, ...abilities };
    await this.dispatcher.order({ type: 'register-worker', worker }, actorOf(caller));
    const { leaseMs } = this.dispatcher;
    return { workerId, token, leaseMs, beatEveryMs: beatEveryMs(leaseMs) };
  }

  /** Only one that was given is taken: whoever chose an id could take another's place. */
  private async idOf({ workerId }: WorkerBody, caller: Caller): Promise<string> {
    if (workerId === undefined) return randomUUID();
    mustSpeakFor(caller, workerId);
    return workerOf(await this.dispatcher.state(), workerId).workerId;
  }
}

function seatsOf({ seats, agents }: WorkerBody) {
  if (seats !== undefined) {
    return seats.map(({ agent, provider, account, models }) => ({
      agent,
      provider: provider ?? providers[agent],
      account,
      models,
    }));
  }
  const names = agents?.map(({ name }) => name) ?? agentName.options;
  return names.map((agent) => ({
    agent,
    provider: providers[agent],
    account: 'default',
    models: [],
  }));
}
