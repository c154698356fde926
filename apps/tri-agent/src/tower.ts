import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { registerBudgetMetrics } from '#libs/budgets/budgets.metrics.js';
import { Budgets } from '#libs/budgets/budgets.js';
import { EstimatedSpend } from '#libs/budgets/spend-source.js';
import { Allowances } from '#libs/dispatch/allowances.js';
import { registerDispatchMetrics } from '#libs/dispatch/dispatch.metrics.js';
import { Dispatcher } from '#libs/dispatch/dispatcher.js';
import { OutputStore } from '#libs/dispatch/output-store.js';
import { Snapshots } from '#libs/dispatch/snapshots.js';
import { TelemetryWatch } from '#libs/dispatch/telemetry-watch.js';
import { AgentProcesses } from '#libs/hooks/agent-processes.js';
import { Gate, type Asking } from '#libs/hooks/gate.js';
import { Enforcer } from '#libs/kills/enforcer.js';
import { KillSwitch } from '#libs/kills/kill-switch.js';
import { KillPorts, type BudgetStandings, type LiveAgents } from '#libs/kills/ports.js';
import { SessionFactsQueries } from '#libs/sessions/session-facts.queries.js';
import { SpendQueries } from '#libs/sessions/spend.queries.js';
import { PositionFile } from '#libs/watch/position-file.js';
import { registerWatchMetrics } from '#libs/watch/watch.metrics.js';
import { Watch } from '#libs/watch/watch.js';
import type { Clock } from '#platform/clock.js';
import type { ReadModels } from '#platform/read-models.js';
import { AllowancesOfBudgets } from './allowances-of-budgets.js';
import type { House } from './house.js';
import { TaskBudgets } from './task-budgets.js';
import { SpendOfUsage } from './spend-of-usage.js';
import { WorkOfDispatch } from './work-of-dispatch.js';

export interface Tower {
  readonly dispatcher: Dispatcher;
  readonly providers: readonly Provider[];
  /** Before anybody is answered: what stands must be known first. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Everything of the role api that watches and steers agents, put together: the contexts know nothing of
 * each other and meet here.
 */
export async function makeTower(house: House, models: ReadModels, clock: Clock): Promise<Tower> {
  const { config, log, registry } = house;
  const watch = makeWatch(house, clock);
  const budgets = makeBudgets(house, models, clock, watch);
  const dispatcher = makeDispatcher(house, clock, budgets);
  const telemetry = new TelemetryWatch(log, dispatcher, say);
  const processes = new AgentProcesses(log, say);
  const work = await WorkOfDispatch.of(log, dispatcher);
  const agents = agentsOf(processes);
  const killSwitch = new KillSwitch({ log, clock, work, report: say });
  const facts = new SessionFactsQueries(models);
  const enforcer = new Enforcer({
    ...{ work, agents, kills: killSwitch, report: say },
    budgets: standingsOf(budgets),
    factsOf: (agent, sessionId) => facts.of(agent, sessionId),
  });
  const taskBudgets = new TaskBudgets(dispatcher, budgets, say);
  registerDispatchMetrics(registry, dispatcher);
  registerBudgetMetrics(registry, budgets);
  registerWatchMetrics(registry, watch);
  return {
    dispatcher,
    providers: [
      { provide: Dispatcher, useValue: dispatcher },
      { provide: Allowances, useValue: new AllowancesOfBudgets(budgets, house.prices) },
      { provide: OutputStore, useValue: new OutputStore(join(config.home, 'output')) },
      { provide: Budgets, useValue: budgets },
      { provide: Watch, useValue: watch },
      { provide: AgentProcesses, useValue: processes },
      { provide: KillSwitch, useValue: killSwitch },
      { provide: KillPorts, useValue: new KillPorts(work, agents) },
      { provide: Gate, useValue: new EnforcedGate(enforcer) },
    ],
    begin: async () => {
      processes.start();
      await watch.start();
      await budgets.start();
      await killSwitch.start();
      enforcer.start();
      taskBudgets.start();
      dispatcher.start();
      telemetry.start();
    },
    stop: async () => {
      await taskBudgets.stop();
      await enforcer.stop();
      await killSwitch.stop();
      await telemetry.stop();
      await dispatcher.stop();
      await budgets.stop();
      await watch.stop();
      await processes.stop();
    },
  };
}

function makeWatch({ config, log }: House, clock: Clock): Watch {
  const { exportIntervalMs } = config;
  const position = new PositionFile(config.home);
  return new Watch({ log, clock, exportIntervalMs, position, report: say });
}

function makeBudgets(
  { config, log }: House,
  models: ReadModels,
  clock: Clock,
  watch: Watch,
): Budgets {
  return new Budgets({
    ...{ log, clock, report: say },
    source: new SpendOfUsage(new SpendQueries(models)),
    estimated: new EstimateOfWatch(watch),
    defaults: {
      wanted: config.defaultBudgets === 'on',
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
  });
}

function makeDispatcher({ config, log }: House, clock: Clock, budgets: Budgets): Dispatcher {
  return new Dispatcher({
    ...{ log, clock, report: say },
    leaseMs: config.leaseMs,
    budgets: () => budgets.readings(),
    snapshots: new Snapshots({ home: config.home, report: say }),
  });
}

/** What silent sessions may be spending counts until they are heard again. */
class EstimateOfWatch extends EstimatedSpend {
  constructor(private readonly watch: Watch) {
    super();
  }

  override nanoUsd(scope: string, sinceMs: number, untilMs: number): number {
    return this.watch.estimatedNanoUsd(scope, sinceMs, untilMs);
  }
}

class EnforcedGate extends Gate {
  constructor(private readonly enforcer: Enforcer) {
    super();
  }

  override stopReasonFor(asking: Asking): string | null {
    return this.enforcer.stopReasonFor(asking);
  }
}

function standingsOf(budgets: Budgets): BudgetStandings {
  return {
    standings: () => (budgets.hasBegun ? budgets.standings() : undefined),
    listen: (listener) => budgets.listen(listener),
  };
}

/** Who begins is met by the next look of the enforcer: its process is looked at, not told of. */
function agentsOf(processes: AgentProcesses): LiveAgents {
  return { alive: () => processes.alive(), listen: () => () => undefined };
}

function say(sentence: string): void {
  console.error(sentence);
}
