import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { KillTarget } from '#eventstore/vocabulary/kills.events.js';
import { limits } from '#kernel/limits.js';
import { Redactor } from '#platform/redaction.js';
import { markOfProcess, pidsMarked } from '#platform/process-mark.js';
import { treeIn } from '#platform/process-trees.js';
import { listProcesses, type HostProcess } from '#platform/processes.js';
import { describeTarget } from './kill-answers.js';
import { KillSwitch } from './kill-switch.js';
import { keyOf } from './kills.decider.js';
import type { KillBody, KillsOrdered } from './kills.shapes.js';
import { KillPorts } from './ports.js';
import { targetsOf } from './targets.js';

const operator = 'operator:api';

/** An operator wants something ended, or to see what that would be. */
export class OrderKill extends Command<KillsOrdered> {
  constructor(readonly wish: KillBody) {
    super();
  }
}

@CommandHandler(OrderKill)
export class OrderKillHandler implements ICommandHandler<OrderKill> {
  constructor(
    private readonly ports: KillPorts,
    private readonly killSwitch: KillSwitch,
    private readonly redactor: Redactor,
  ) {}

  async execute({ wish: { aim, reason: told, dryRun } }: OrderKill): Promise<KillsOrdered> {
    const { work, agents } = this.ports;
    const reason = this.redactor.value(told);
    // Whoever ends everything wants nothing new to begin meanwhile.
    const claimsPaused = aim.kind === 'all' && !dryRun;
    if (claimsPaused) await work.pauseClaims(reason, operator);
    const targets = targetsOf(aim, work, agents);
    const processes = await listProcesses();
    const found = targets.map((target) => ({
      target,
      processes: this.processesOf(target, processes),
    }));
    const kills = dryRun
      ? []
      : await this.killSwitch.order({ targets, reason, budgetId: null, actor: operator });
    const killIds = new Map(kills.map(({ killId, target }) => [keyOf(target), killId]));
    return {
      dryRun,
      claimsPaused,
      items: found.map((it) => ({
        killId: killIds.get(keyOf(it.target)) ?? null,
        target: describeTarget(it.target),
        processes: it.processes,
      })),
    };
  }

  private processesOf(target: KillTarget, all: readonly HostProcess[]) {
    const roots =
      target.kind === 'attempt'
        ? { processes: [], attemptIds: [target.attemptId] }
        : target.host === this.killSwitch.host
          ? { processes: [target], pids: pidsMarked(markOfProcess(target)) }
          : undefined;
    const tree = roots === undefined ? [] : treeIn(all, roots);
    // Nothing of an attempt here: then its worker is on another host.
    if (tree.length === 0) return target.kind === 'attempt' || roots === undefined ? null : [];
    return tree.slice(0, limits.processesToldMax).map(({ pid, arguments: names, startedAt }) => ({
      pid,
      name: (names[0] ?? '').slice(0, limits.freeTextCharactersMax),
      startedAt: startedAt.toISOString(),
    }));
  }
}
