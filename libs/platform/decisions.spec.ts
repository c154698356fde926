import { randomUUID } from 'node:crypto';
import { LogError, type Appended, type ExpectedVersion } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { Decisions } from './decisions.js';
import {
  CountingLog,
  STREAM,
  decisionsOn,
  modelsIn,
  names,
  origin,
  seen,
} from './decisions.spec-helper.js';

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
    expect(await decisions.decide('a', origin())).toEqual({
      events: [],
      state: ['a'],
      position: null,
    });
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
    const again = await decisionsOn(log).decide('b', from);
    expect(again).toEqual({ events: [], state: ['a'], position: 1n });
    expect(await modelsIn(log)).toEqual(['a']);
  });

  test('that comes but once has events of its own, whose ids increase', async () => {
    const log = new MemoryLog();
    const once = { ...origin(), commandId: null };
    await decisionsOn(log).decide('a+b', once);
    await decisionsOn(log).decide('c', once);
    const events = await log.read(STREAM, 0, 10);
    expect(await modelsIn(log)).toEqual(['a', 'b', 'c']);
    const ids = events.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    const [first, , third] = ids;
    expect(events.map(({ metadata }) => metadata.correlationId)).toEqual([first, first, third]);
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

describe('What comes in together', () => {
  test('is decided in order, each on what those before it left, and appended at once', async () => {
    const log = new CountingLog();
    const decisions = decisionsOn(log);
    const ends = await Promise.allSettled(
      ['a+b', 'a', 'c+d', 'e', 'f'].map((it) => decisions.decide(it, origin())),
    );
    expect(await modelsIn(log)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(log.appends).toBe(1);
    const counts = ends.map((it) => (it.status === 'fulfilled' ? it.value.events.length : -1));
    expect(counts).toEqual([2, 0, 2, 1, -1]);
    const positions = ends.map((it) => (it.status === 'fulfilled' ? it.value.position : undefined));
    expect(positions).toEqual([2n, null, 4n, 5n, undefined]);
  });

  test('fails together when the log refuses, and leaves nothing in the state', async () => {
    const log = new CountingLog();
    const decisions = decisionsOn(log);
    await decisions.decide('a', origin());
    log.refusals = 1;
    const ends = await Promise.allSettled(
      ['b', 'c', 'd'].map((it) => decisions.decide(it, origin())),
    );
    for (const end of ends) expect(end).toMatchObject({ reason: { code: 'LOG_UNAVAILABLE' } });
    expect(await decisions.catchUp()).toEqual(['a']);
    expect(await modelsIn(log)).toEqual(['a']);
  });

  test('is tried one by one after that, without reading the stream anew', async () => {
    const log = new CountingLog();
    const decisions = decisionsOn(log);
    log.refusals = 3;
    await expect(decisions.decide('a', origin())).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
    });
    const before = log.eventsRead;
    const ends = await Promise.allSettled(
      ['b', 'c', 'd', 'e'].map((it) => decisions.decide(it, origin())),
    );
    expect(ends.map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(log.eventsRead).toBe(before);
    expect(await modelsIn(log)).toEqual(['d', 'e']);
  });
});

describe('A state that was kept', () => {
  test('is where reading goes on', async () => {
    const log = new MemoryLog();
    await decisionsOn(log).decide('a+b', origin());
    const kept = () => Promise.resolve({ state: ['kept'], version: 1 });
    const decisions = new Decisions(log, STREAM, names, kept);
    expect(await decisions.catchUp()).toEqual(['kept', 'b']);
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
