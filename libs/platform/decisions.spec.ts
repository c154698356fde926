import { randomUUID } from 'node:crypto';
import { LogError, type Appended, type ExpectedVersion } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Decider } from '#kernel/decider.js';
import type { Fact, NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { Decisions, type CommandOrigin } from './decisions.js';

type Seen = Fact<'PriceMissing', DataOf<'PriceMissing'>>;
const seen = (model: string): Seen => ({
  type: 'PriceMissing',
  data: { agent: 'codex', provider: 'openai', model },
});
const STREAM = 'price-notices';

/** A name is taken once, five of them at most; `a+b` takes two at once. */
const names: Decider<string, readonly string[], Seen> = {
  initial: [],
  decide: (command, taken) => {
    const wanted = command.split('+').filter((name) => !taken.includes(name));
    if (taken.length + wanted.length > 5) throw new Refusal('FULL', 'There is no room for more.');
    return wanted.map(seen);
  },
  evolve: (taken, { data }) => [...taken, data.model],
};
const decisionsOn = (log: MemoryLog) => new Decisions(log, STREAM, names);
const origin = (commandId: string = randomUUID()): CommandOrigin => ({
  commandId,
  actor: 'operator:test',
  source: 'test',
  occurredAt: '2026-11-20T10:00:00.000Z',
});
async function modelsIn(log: MemoryLog): Promise<string[]> {
  const events = await log.read(STREAM, 0, 100);
  return events.map(({ data }) => (data as { model: string }).model);
}

describe('A command', () => {
  test('appends what its decider decides, with who wanted it', async () => {
    const log = new MemoryLog();
    const from = origin();
    const { events, state } = await decisionsOn(log).decide('a+b', from);
    expect(events).toEqual([seen('a'), seen('b')]);
    expect(state).toEqual(['a', 'b']);
    const [first, second] = await log.read(STREAM, 0, 10);
    expect(first).toMatchObject({
      version: 1,
      metadata: { actor: 'operator:test', correlationId: from.commandId },
    });
    expect(second?.id).not.toBe(first?.id);
  });

  test('that changes nothing appends nothing', async () => {
    const log = new MemoryLog();
    const decisions = decisionsOn(log);
    await decisions.decide('a', origin());
    expect(await decisions.decide('a', origin())).toEqual({ events: [], state: ['a'] });
    expect(await modelsIn(log)).toEqual(['a']);
  });

  test('that is not allowed is refused, and the next one is decided', async () => {
    const log = new MemoryLog();
    const decisions = decisionsOn(log);
    const [refused, fine] = [
      decisions.decide('a+b+c+d+e+f', origin()),
      decisions.decide('a', origin()),
    ];
    await expect(refused).rejects.toMatchObject({ code: 'FULL' });
    expect((await fine).events).toEqual([seen('a')]);
  });

  test('that comes again under its id leaves nothing new behind, whatever it now leads to', async () => {
    const log = new MemoryLog();
    const from = origin();
    await decisionsOn(log).decide('a', from);
    expect(await decisionsOn(log).decide('b', from)).toEqual({ events: [], state: ['a'] });
    expect(await modelsIn(log)).toEqual(['a']);
  });

  test('is decided on all that the stream holds, however much that is', async () => {
    const log = new MemoryLog();
    const many = Array.from({ length: limits.followBatchEvents + 1 }, (_, index) => ({
      ...seen(`m${index}`),
      id: randomUUID(),
      metadata: { actor: 'a', source: 's', occurredAt: '2026-11-20T10:00:00.000Z' },
    }));
    await log.append(STREAM, 'any', many);
    const decisions = decisionsOn(log);
    expect(await decisions.catchUp()).toHaveLength(many.length);
    await expect(decisions.decide('one-more', origin())).rejects.toMatchObject({ code: 'FULL' });
  });
});

describe('Racing commands', () => {
  test('of one process are decided one after another, each on what those before it left', async () => {
    const log = new MemoryLog();
    const decisions = decisionsOn(log);
    const commands = ['a', 'b', 'a', 'c', 'a+b', 'd', 'e', 'f'];
    const ends = await Promise.allSettled(commands.map((it) => decisions.decide(it, origin())));
    expect(await modelsIn(log)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(ends.map(({ status }) => status === 'rejected')).toEqual(
      commands.map((it) => it === 'f'),
    );
  });

  test('of several processes never break the rule, and none is lost', async () => {
    const log = new MemoryLog();
    const processes = [decisionsOn(log), decisionsOn(log), decisionsOn(log)];
    const commands = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'a'];
    const ends = await Promise.allSettled(
      commands.flatMap((name) => processes.map((it) => it.decide(name, origin()))),
    );
    const taken = await modelsIn(log);
    expect(new Set(taken).size).toBe(5);
    expect(taken).toHaveLength(5);
    const appended = ends.flatMap((it) => (it.status === 'fulfilled' ? it.value.events : []));
    expect(appended.map(({ data }) => data.model).sort()).toEqual([...taken].sort());
    for (const end of ends) {
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'FULL' });
    }
  });

  test('give up when others are faster every time, and say so', async () => {
    const log = new BusyLog();
    await expect(decisionsOn(log).decide('a', origin())).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
    expect(log.attempts).toBe(limits.decisionAttemptsMax);
    expect(await modelsIn(log)).toEqual([]);
  });
});

/** Somebody else is always faster. */
class BusyLog extends MemoryLog {
  attempts = 0;

  override append(
    stream: string,
    expected: ExpectedVersion,
    events: readonly NewEvent[],
  ): Promise<Appended[]> {
    if (expected === 'any') return super.append(stream, expected, events);
    this.attempts += 1;
    return Promise.reject(new LogError('VERSION_CONFLICT', 'Somebody else was faster.'));
  }
}
