import type { EventLog } from '#eventstore/src/log.js';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { EventType, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { sameProcess, type ProcessIdentity } from '#platform/processes.js';

/** A process of this host in which a session of an agent was seen. */
export interface AgentProcess extends ProcessIdentity {
  readonly agent: AgentName;
  readonly sessionId: string;
  readonly host: string;
  readonly directory: string | null;
  /** ISO-8601 UTC. */
  readonly seenAt: string;
}

const heard: readonly EventType[] = ['AgentProcessSeen', 'SessionEnded'];

/**
 * Which sessions live in which processes, as their hooks told: kept from the log, in memory. Whether a
 * process still runs is looked at when it is asked.
 */
export class AgentProcesses {
  private readonly ending = new AbortController();
  private following: Promise<void> | undefined;
  /** By process, in the order in which they were seen. A process is in its latest session only. */
  private readonly all = new Map<string, AgentProcess>();

  /**
   * @param report is told why it does not hear any more.
   * @param runs whether that very process still does.
   */
  constructor(
    private readonly log: EventLog,
    private readonly report: (sentence: string) => void,
    private readonly runs: (identity: ProcessIdentity) => boolean = sameProcess,
  ) {}

  /** Hears all from the beginning of the log. */
  start(): void {
    this.following = this.follow().catch((error: unknown) => {
      if (this.ending.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.report(`Processes of agents are not heard of any more: ${reason}`);
    });
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.following;
  }

  /** Those that run now. */
  alive(): AgentProcess[] {
    return [...this.all.values()].filter(this.runs);
  }

  /** Those of a session that run now: more than one where it was taken up twice. */
  ofSession(agent: AgentName, sessionId: string): AgentProcess[] {
    return this.inSession(agent, sessionId).filter(this.runs);
  }

  /** Whether it is known already that the session is in that process. */
  has(agent: AgentName, sessionId: string, identity: ProcessIdentity): boolean {
    const known = this.all.get(keyOf(identity));
    return known?.agent === agent && known.sessionId === sessionId;
  }

  private async follow(): Promise<void> {
    const { signal } = this.ending;
    for await (const batch of this.log.follow(0n, { signal, types: heard })) {
      for (const event of batch) this.hear(event as RecordedDomainEvent);
    }
  }

  private hear(event: RecordedDomainEvent): void {
    if (event.type === 'SessionEnded') {
      const { agent, sessionId } = event.data;
      const ended = this.inSession(agent, sessionId);
      // Which of several has ended is not told: the one that no longer runs is not shown anyway.
      if (ended.length === 1) ended.forEach((one) => this.all.delete(keyOf(one)));
      else ended.filter((one) => !this.runs(one)).forEach((one) => this.all.delete(keyOf(one)));
    }
    if (event.type !== 'AgentProcessSeen') return;
    const { agent, sessionId, host, pid, startMark, directory } = event.data;
    if (host === null || pid === null || startMark === null) return;
    const seenAt = event.metadata.occurredAt;
    const one = { agent, sessionId, host, pid, startMark, directory, seenAt };
    this.all.delete(keyOf(one));
    this.all.set(keyOf(one), one);
    if (this.all.size > limits.agentProcessesRememberedMax) this.forgetSome();
  }

  private inSession(agent: AgentName, sessionId: string): AgentProcess[] {
    return [...this.all.values()].filter(
      (one) => one.agent === agent && one.sessionId === sessionId,
    );
  }

  /** Those that have ended without a word; where all of them run, the oldest. */
  private forgetSome(): void {
    for (const [key, one] of this.all) if (!this.runs(one)) this.all.delete(key);
    const [oldest] = this.all.keys();
    if (this.all.size > limits.agentProcessesRememberedMax && oldest !== undefined) {
      this.all.delete(oldest);
    }
  }
}

function keyOf({ pid, startMark }: ProcessIdentity): string {
  return `${pid} ${startMark}`;
}
