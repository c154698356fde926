import { hostname } from 'node:os';
import { Injectable, Logger } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { v7 } from 'uuid';
import { EventLog } from '#eventstore/src/log.js';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { streamOf, type DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { Clock } from '#platform/clock.js';
import { markProcess } from '#platform/process-mark.js';
import { isOwnProcess } from '#platform/processes.js';
import { Redactor } from '#platform/redaction.js';
import { AgentProcesses } from './agent-processes.js';
import { Gate } from './gate.js';
import type { ClaimedProcess, HookBody } from './hooks.shapes.js';
import {
  factOf,
  meaningOf,
  processFact,
  stopAnswer,
  stoppedFact,
  type HookFact,
} from './hooks.translate.js';

const goOn = {};

/** Takes in what agents tell by their hooks, and tells those to stop that may not go on. */
@Injectable()
export class Hooks {
  private readonly logger = new Logger('hooks');
  private readonly calls;

  constructor(
    private readonly log: EventLog,
    private readonly redactor: Redactor,
    private readonly clock: Clock,
    private readonly gate: Gate,
    private readonly processes: AgentProcesses,
    registry: Registry,
  ) {
    this.calls = new Counter({
      name: 'tri_agent_hook_calls_total',
      help: 'Calls of agents\' hooks, by agent and hook ("other" for unknown ones).',
      labelNames: ['agent', 'hook'],
      registers: [registry],
    });
  }

  /**
   * @returns what the agent is answered, in its own form.
   * @throws {LogError} when the log cannot write now. An agent that is to stop is stopped even so.
   */
  async take(agent: AgentName, given: HookBody): Promise<object> {
    // Ids lose their secrets before anything is asked or kept, as in telemetry, so that they meet.
    const body = this.redactor.value(given);
    const meaning = meaningOf(agent, body.hook_event_name);
    this.calls.inc({ agent, hook: meaning === undefined ? 'other' : body.hook_event_name });
    if (meaning === undefined) return goOn;
    if (meaning === 'session-began') {
      await this.register(agent, body, believed(given.tri_agent));
      return goOn;
    }
    if (meaning === 'prompt' || meaning === 'tool') {
      const { session_id: sessionId, cwd } = body;
      const reason = this.gate.stopReasonFor({ agent, sessionId, directory: cwd ?? null });
      if (reason !== null) {
        await this.append(agent, stoppedFact(agent, meaning, reason, body)).catch(this.complain);
        return stopAnswer(agent, meaning, reason);
      }
    }
    const fact = factOf(agent, meaning, body);
    if (fact !== undefined) await this.append(agent, fact);
    return goOn;
  }

  /** Says once in which process a session is; each time, where that is not known. */
  private async register(
    agent: AgentName,
    body: HookBody,
    found: ClaimedProcess | null,
  ): Promise<void> {
    if (found !== null && this.processes.has(agent, body.session_id, found)) return;
    // Before it starts anything: what it starts from then on can be found again.
    if (found !== null) await markProcess(found);
    await this.append(agent, processFact(agent, found, body));
  }

  private async append(agent: AgentName, fact: HookFact): Promise<void> {
    const event = {
      id: v7(),
      ...fact,
      metadata: {
        actor: `agent:${agent}`,
        source: `${agent} hooks`,
        occurredAt: new Date(this.clock.now()).toISOString(),
      },
    } as DomainEvent;
    await this.log.append(streamOf(event), 'any', [event]);
  }

  /** The agent must not go on for want of an entry in the log. */
  private readonly complain = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.error(`An agent was stopped, and that is not in the log: ${reason}`);
  };
}

/** Of another host, or of another user, nothing can be seen or ended here. */
function believed(claimed: ClaimedProcess | undefined): ClaimedProcess | null {
  if (claimed?.host !== hostname()) return null;
  return isOwnProcess(claimed) ? claimed : null;
}
