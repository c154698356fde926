import { v5, v7 } from 'uuid';
import { isLogError, type Appended, type EventLog } from '#eventstore/src/log.js';
import type { Decider } from '#kernel/decider.js';
import type { Fact, NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';

/** Who wants something, and when. */
export interface CommandOrigin {
  /** A UUID: a command that comes again under it changes nothing. Null = it comes but once. */
  readonly commandId: string | null;
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
  /** Where the last event stands in the log that the command led to, now or the first time. */
  readonly position: bigint | null;
}

/** A command on its way, and whoever waits for what becomes of it. */
interface Wish<Command, State, Event> {
  /** undefined: only to know what the stream holds by now. */
  readonly command: () => Command | undefined;
  readonly origin: CommandOrigin;
  /** It waits until it leads to something, or the signal ends the wait; undefined = it does not wait. */
  readonly patience: { readonly signal: AbortSignal; readonly giveUp: () => void } | undefined;
  readonly resolve: (decision: Decision<State, Event>) => void;
  readonly reject: (error: unknown) => void;
}

/** What one wish came to. */
type Outcome<Event> = { readonly events: readonly Event[] } | { readonly refusal: unknown };

/** The stream as it was read: what to begin from instead of its first event. */
export interface Beginning<State> {
  readonly state: State;
  /** Of the stream, at that state. */
  readonly version: number;
}

const nobody: CommandOrigin = { commandId: null, actor: '', source: '', occurredAt: '' };

/**
 * Commands to one stream, decided one after another. Another process may write the stream, too: when
 * it was faster, what it wrote is read and the commands are decided anew.
 *
 * What comes in while the log is busy is decided in one go, each command on what those before it left,
 * and becomes durable in one append. The state is kept in memory and follows the stream, so that a
 * command costs only what is new.
 */
export class Decisions<Command, State, Event extends Fact> {
  private current: State;
  private version = 0;
  /** Whether the stream must be read from its beginning: never read, or the state is ahead of it. */
  private isAstray = true;
  /** After the log refused: one command at a time, so that another refusal costs nothing. */
  private isCautious = false;
  private isAtWork = false;
  private newest = 0n;
  private isReconsidering = false;
  private queue: Wish<Command, State, Event>[] = [];
  /** Those that led to nothing so far and wait, the first come first. */
  private readonly patient = new Set<Wish<Command, State, Event>>();
  /** What this round's wishes came to, while it is being appended. */
  private outcomes = new Map<Wish<Command, State, Event>, Outcome<Event>>();

  /** @param beginning gives a state to read on from, another one each time; undefined = there is none. */
  constructor(
    private readonly log: EventLog,
    private readonly stream: string,
    private readonly decider: Decider<Command, State, Event>,
    private readonly beginning: () => Promise<Beginning<State> | undefined> = () =>
      Promise.resolve(undefined),
  ) {
    this.current = decider.initial;
  }

  /** Where the newest event of this process stands in the log; 0n = it appended none. */
  get position(): bigint {
    return this.newest;
  }

  /** Of the stream, when it was last read. */
  get streamVersion(): number {
    return this.version;
  }

  /** What the stream came to when it was last read. */
  get state(): State {
    return this.current;
  }

  /** Reads what was appended since the last time. */
  async catchUp(): Promise<State> {
    const { state } = await this.enqueue(() => undefined, nobody);
    return state;
  }

  /**
   * Resolves when what was decided is durable.
   *
   * @throws {Refusal} what the decider does not allow
   * @throws {LogError} `VERSION_CONFLICT` when others were faster every time, or what the log says
   */
  decide(command: Command, origin: CommandOrigin): Promise<Decision<State, Event>> {
    return this.enqueue(() => command, origin);
  }

  /**
   * As `decide`, but a command that leads to nothing is decided again whenever something else did, and
   * at each `reconsider`. Resolves with undefined when the signal ends the wait.
   */
  decideWhenPossible(
    command: () => Command,
    origin: CommandOrigin,
    signal: AbortSignal,
  ): Promise<Decision<State, Event> | undefined> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.patient.delete(wish);
        this.queue = this.queue.filter((it) => it !== wish);
        resolve(undefined);
      };
      const give = (): void => {
        // What is being appended is decided: its end is near.
        if (!this.outcomes.has(wish)) giveUp();
      };
      const ended =
        <Value>(end: (value: Value) => void) =>
        (value: Value): void => {
          signal.removeEventListener('abort', give);
          end(value);
        };
      const wish: Wish<Command, State, Event> = {
        command,
        origin,
        patience: { signal, giveUp },
        resolve: ended(resolve),
        reject: ended(reject),
      };
      signal.addEventListener('abort', give);
      this.add(wish);
      if (signal.aborted) give();
    });
  }

  /** Time has passed: whoever waits may have a chance now. */
  async reconsider(): Promise<void> {
    this.isReconsidering = true;
    await this.catchUp();
  }

  private enqueue(
    command: () => Command | undefined,
    origin: CommandOrigin,
  ): Promise<Decision<State, Event>> {
    return new Promise((resolve, reject) => {
      this.add({ command, origin, patience: undefined, resolve, reject });
    });
  }

  private add(wish: Wish<Command, State, Event>): void {
    this.queue.push(wish);
    if (this.isAtWork) return;
    this.isAtWork = true;
    // What else comes in during this turn of the event loop shares the append.
    setImmediate(() => void this.work());
  }

  private async work(): Promise<void> {
    while (this.queue.length > 0) {
      const group = this.queue.splice(0, this.isCautious ? 1 : limits.commandsPerCommitMax);
      await this.settle(group);
    }
    this.isAtWork = false;
  }

  /** Never throws: what goes wrong is told to whoever waits. */
  private async settle(group: readonly Wish<Command, State, Event>[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.readNew();
        await this.decideAndAppend(group);
        this.isCautious = false;
        return;
      } catch (error) {
        const isConflict = isLogError(error, 'VERSION_CONFLICT');
        if (isConflict && attempt < limits.decisionAttemptsMax) continue;
        this.isCautious = true;
        for (const wish of new Set([...group, ...this.outcomes.keys()])) {
          this.patient.delete(wish);
          wish.reject(error);
        }
        return;
      } finally {
        this.outcomes = new Map();
      }
    }
  }

  private async decideAndAppend(group: readonly Wish<Command, State, Event>[]): Promise<void> {
    const { version } = this;
    const wanted: NewEvent[] = [];
    let news: readonly Event[] = [];
    const decide = (wish: Wish<Command, State, Event>): void => {
      if (wish.patience?.signal.aborted === true) {
        wish.patience.giveUp();
        return;
      }
      // A command alone leaves no trace in the state if the log refuses it.
      this.isAstray ||= news.length > 0;
      this.evolve(news);
      const outcome = this.outcomeOf(wish);
      news = 'events' in outcome ? outcome.events : [];
      wanted.push(...newEvents(news, wish.origin));
      const waits = wish.patience !== undefined && 'events' in outcome && news.length === 0;
      if (waits) this.patient.add(wish);
      else this.outcomes.set(wish, outcome);
    };
    for (const wish of group) decide(wish);
    if (wanted.length > 0 || this.isReconsidering) {
      this.isReconsidering = false;
      for (const wish of this.patient) if (!group.includes(wish)) decide(wish);
    }
    const appended = wanted.length === 0 ? [] : await this.log.append(this.stream, version, wanted);
    this.isAstray = appended.some(({ duplicate }) => duplicate);
    this.evolve(news);
    if (this.isAstray) await this.readNew();
    this.tell(appended);
  }

  private outcomeOf({ command }: Wish<Command, State, Event>): Outcome<Event> {
    const wanted = command();
    if (wanted === undefined) return { events: [] };
    try {
      return { events: this.decider.decide(wanted, this.current) };
    } catch (refusal) {
      return { refusal };
    }
  }

  private evolve(events: readonly Event[]): void {
    for (const event of events) this.current = this.decider.evolve(this.current, event);
    this.version += events.length;
  }

  private tell(appended: readonly Appended[]): void {
    this.newest = appended.at(-1)?.position ?? this.newest;
    let next = 0;
    for (const [wish, outcome] of this.outcomes) {
      this.patient.delete(wish);
      if ('refusal' in outcome) {
        wish.reject(outcome.refusal);
        continue;
      }
      const own = appended.slice(next, next + outcome.events.length);
      next += own.length;
      const events = outcome.events.filter((_, index) => own[index]?.duplicate === false);
      wish.resolve({ events, state: this.current, position: own.at(-1)?.position ?? null });
    }
  }

  private async readNew(): Promise<void> {
    // Read aside, so that nobody sees half of it.
    let { state, version } = this.isAstray
      ? ((await this.beginning()) ?? { state: this.decider.initial, version: 0 })
      : { state: this.current, version: this.version };
    // True in case the log fails halfway: some deciders change the state in place.
    this.isAstray = true;
    for (;;) {
      const events = await this.log.read(this.stream, version, limits.followBatchEvents);
      for (const event of events) state = this.decider.evolve(state, event as unknown as Event);
      version += events.length;
      if (events.length < limits.followBatchEvents) break;
    }
    this.current = state;
    this.version = version;
    this.isAstray = false;
  }
}

/**
 * Ids of a command that comes but once increase with time, so that the index of ids grows at one end
 * and a commit of many events writes few pages. The first of them is what its events have in common.
 */
function newEvents(events: readonly Fact[], origin: CommandOrigin): NewEvent[] {
  const { commandId, actor, source, occurredAt } = origin;
  const ids = events.map((_, index) => (commandId === null ? v7() : v5(String(index), commandId)));
  const metadata = { actor, source, occurredAt, correlationId: commandId ?? ids[0] ?? '' };
  return events.map(({ type, data }, index) => ({ id: ids[index] ?? '', type, data, metadata }));
}
