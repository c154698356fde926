import { randomUUID } from 'node:crypto';
import { LogError, type Appended, type ExpectedVersion } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Decider } from '#kernel/decider.js';
import type { Fact, NewEvent, RecordedEvent } from '#kernel/event.js';
import { Refusal } from '#kernel/refusal.js';
import { Decisions, type CommandOrigin } from './decisions.js';

export type Seen = Fact<'PriceMissing', DataOf<'PriceMissing'>>;
export const seen = (model: string): Seen => ({
  type: 'PriceMissing',
  data: { agent: 'codex', provider: 'openai', model },
});
export const STREAM = 'price-notices';

/** A name is taken once, five of them at most; `a+b` takes two at once. */
export const names: Decider<string, readonly string[], Seen> = {
  initial: [],
  decide: (command, taken) => {
    const wanted = command.split('+').filter((name) => !taken.includes(name));
    if (taken.length + wanted.length > 5) throw new Refusal('FULL', 'There is no room for more.');
    return wanted.map(seen);
  },
  evolve: (taken, { data }) => [...taken, data.model],
};
export const decisionsOn = (log: MemoryLog) => new Decisions(log, STREAM, names);
export const origin = (commandId: string = randomUUID()): CommandOrigin => ({
  commandId,
  actor: 'operator:test',
  source: 'test',
  occurredAt: '2026-11-20T10:00:00.000Z',
});
export async function modelsIn(log: MemoryLog): Promise<string[]> {
  const events = await log.read(STREAM, 0, 100);
  return events.map(({ data }) => (data as { model: string }).model);
}

/** Counts, and refuses as often as it is told to. */
export class CountingLog extends MemoryLog {
  appends = 0;
  eventsRead = 0;
  refusals = 0;
  /** Called once, in the place of the next append, which it may refuse. */
  beforeAppend: (() => void) | undefined;

  override async append(
    stream: string,
    expected: ExpectedVersion,
    events: readonly NewEvent[],
  ): Promise<Appended[]> {
    const { beforeAppend } = this;
    this.beforeAppend = undefined;
    beforeAppend?.();
    if (this.refusals > 0) {
      this.refusals -= 1;
      return Promise.reject(new LogError('LOG_UNAVAILABLE', 'The disk is full.'));
    }
    this.appends += 1;
    return super.append(stream, expected, events);
  }

  override async read(stream: string, after: number, limit: number): Promise<RecordedEvent[]> {
    const events = await super.read(stream, after, limit);
    this.eventsRead += events.length;
    return events;
  }
}
