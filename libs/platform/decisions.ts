import { v5 } from 'uuid';
import { isLogError, type EventLog } from '#eventstore/src/log.js';
import type { Decider } from '#kernel/decider.js';
import type { Fact } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';

/** Who wants something, and when. */
export interface CommandOrigin {
  /** A UUID. A command that comes again under its id changes nothing. */
  readonly commandId: string;
  /** `operator:api`, `policy:burn-rate`. */
  readonly actor: string;
  readonly source: string;
  /** ISO-8601 UTC. */
  readonly occurredAt: string;
}

export interface Decision<State, Event> {
  /** What was appended; empty when the command changed nothing. */
  readonly events: readonly Event[];
  /** With these events. */
  readonly state: State;
}

/**
 * Commands to one stream, decided one after another. Another process may write the stream, too: when
 * it was faster, what it wrote is read and the command decided anew.
 *
 * The state is kept in memory and follows the stream, so that a command costs only what is new.
 */
export class Decisions<Command, State, Event extends Fact> {
  private current: State;
  private version = 0;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly log: EventLog,
    private readonly stream: string,
    private readonly decider: Decider<Command, State, Event>,
  ) {
    this.current = decider.initial;
  }

  /** What the stream came to when it was last read. */
  get state(): State {
    return this.current;
  }

  /** Reads what was appended since the last time. */
  async catchUp(): Promise<State> {
    for (;;) {
      const events = await this.log.read(this.stream, this.version, limits.followBatchEvents);
      for (const event of events) {
        // Somebody else may have read the same ones in the meantime.
        if (event.version !== this.version + 1) continue;
        this.current = this.decider.evolve(this.current, event as unknown as Event);
        this.version = event.version;
      }
      if (events.length < limits.followBatchEvents) return this.current;
    }
  }

  /**
   * Resolves when what was decided is durable.
   *
   * @throws {Refusal} what the decider does not allow
   * @throws {LogError} `VERSION_CONFLICT` when others were faster every time, or what the log says
   */
  async decide(command: Command, origin: CommandOrigin): Promise<Decision<State, Event>> {
    const decided = this.turn.then(() => this.inTurn(command, origin));
    // The next one waits for the end of this one, however it ends.
    this.turn = decided.catch(() => undefined);
    return decided;
  }

  private async inTurn(command: Command, origin: CommandOrigin): Promise<Decision<State, Event>> {
    for (let attempt = 1; ; attempt += 1) {
      const state = await this.catchUp();
      const wanted = this.decider.decide(command, state);
      if (wanted.length === 0) return { events: [], state };
      try {
        const events = await this.append(wanted, origin);
        return { events, state: await this.catchUp() };
      } catch (error) {
        if (!isLogError(error, 'VERSION_CONFLICT')) throw error;
        if (attempt >= limits.decisionAttemptsMax) throw error;
      }
    }
  }

  private async append(wanted: readonly Event[], origin: CommandOrigin): Promise<Event[]> {
    const { commandId, actor, source, occurredAt } = origin;
    const metadata = { actor, source, occurredAt, correlationId: commandId };
    const events = wanted.map(({ type, data }, index) => ({
      id: v5(String(index), commandId),
      type,
      data,
      metadata,
    }));
    const appended = await this.log.append(this.stream, this.version, events);
    return wanted.filter((_, index) => appended[index]?.duplicate === false);
  }
}
