import type { EventLog } from '#eventstore/src/log.js';
import { sessionStream } from '#eventstore/vocabulary/session.events.js';
import type { DataOf, EventType } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { coolDownHint } from './cool-down-hint.js';
import type { Dispatcher, Order } from './dispatcher.js';
import type { DispatchState, RunningAttempt } from './dispatch-state.js';

/** What telemetry says of requests that a provider refused for good. */
const refusals: readonly EventType[] = ['RequestFailed', 'RetriesExhausted'];
type Refused = DataOf<'RequestFailed'> | DataOf<'RetriesExhausted'>;

/**
 * Listens to what agents tell by telemetry: that they get on, and that a provider refuses them. It
 * reads no more than it must: refusals of all sessions, and the sessions of running attempts.
 */
export class TelemetryWatch {
  private readonly ending = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private following: Promise<void> | undefined;
  /** How far each running attempt's session was seen, as a version of its stream. */
  private seen = new Map<string, number>();
  private reported = '';

  /** @param report is told, once, why it does not hear. */
  constructor(
    private readonly log: EventLog,
    private readonly dispatcher: Dispatcher,
    private readonly report: (sentence: string) => void,
  ) {}

  start(): void {
    this.following = this.follow().catch(this.complain);
    this.timer = setInterval(() => {
      this.looking ??= this.look()
        .catch(this.complain)
        .finally(() => {
          this.looking = undefined;
        });
    }, limits.dispatchTickMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.ending.abort();
    await Promise.all([this.following, this.looking]);
  }

  private readonly complain = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.reported || this.ending.signal.aborted) return;
    this.report(`Dispatch does not hear telemetry: ${reason}`);
    this.reported = reason;
  };

  /** Any event of an attempt's session shows that its agent gets on. */
  private async look(): Promise<void> {
    const { running } = await this.dispatcher.state();
    const before = this.seen;
    this.seen = new Map();
    for (const { attemptId, agent, sessionId } of [...running.values()]) {
      if (sessionId === null) continue;
      const stream = sessionStream(agent, sessionId);
      const from = before.get(stream);
      const news = await this.log.read(stream, from ?? 0, limits.followBatchEvents);
      this.seen.set(stream, news.at(-1)?.version ?? from ?? 0);
      // What was there before the attempt took the session up is no sign of it.
      if (from !== undefined && news.length > 0) this.dispatcher.progressed(attemptId);
    }
  }

  private async follow(): Promise<void> {
    const { signal } = this.ending;
    const head = await this.log.head();
    for await (const batch of this.log.follow(head, { signal, types: refusals })) {
      for (const { data } of batch) await this.coolDown(data as Refused).catch(this.complain);
    }
  }

  private async coolDown(refused: Refused): Promise<void> {
    const { statusCode } = refused;
    if (coolDownHint(statusCode, null) === null) return;
    for (const where of placesOf(refused, await this.dispatcher.state())) {
      // Chance anew for each, so that not all come back at once.
      const hint = coolDownHint(statusCode, null);
      if (hint === null) continue;
      await this.dispatcher.order({ type: 'cool-down', ...where, hint }, 'telemetry');
    }
  }
}

type Place = Pick<Extract<Order, { type: 'cool-down' }>, 'provider' | 'account' | 'model'>;

/**
 * The account of the attempt whose session it is. Telemetry does not tell the account of others: then
 * every account that workers have with this provider may be the one.
 */
function placesOf(refused: Refused, { running, workers }: DispatchState): Place[] {
  const own = [...running.values()].find((attempt) => isOf(refused, attempt));
  if (own !== undefined) {
    const { provider, account, model } = own;
    return [{ provider, account, model }];
  }
  const { provider, model } = refused;
  const seats = [...workers.values()].flatMap((worker) => worker.seats);
  const accounts = seats.filter((seat) => seat.provider === provider).map((seat) => seat.account);
  return [...new Set(accounts)].map((account) => ({ provider, account, model }));
}

function isOf(refused: Refused, { attemptId, agent, sessionId }: RunningAttempt): boolean {
  if ('attemptId' in refused && refused.attemptId !== undefined) {
    return refused.attemptId === attemptId;
  }
  return refused.agent === agent && refused.sessionId === sessionId;
}
