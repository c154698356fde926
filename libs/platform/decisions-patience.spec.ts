import { LogError } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { Decider } from '#kernel/decider.js';
import { Decisions } from './decisions.js';
import {
  CountingLog,
  STREAM,
  decisionsOn,
  modelsIn,
  names,
  origin,
  seen,
  type Seen,
} from './decisions.spec-helper.js';

describe('A patient command', () => {
  /** Takes a name once the one before it in the alphabet is taken. */
  const turns: Decider<string, readonly string[], Seen> = {
    ...names,
    decide: (command, taken) => {
      const before = String.fromCharCode(command.charCodeAt(0) - 1);
      const isTurn = command === 'a' || taken.includes(before);
      return isTurn ? names.decide(command, taken) : [];
    },
  };
  const turnsOn = (log: MemoryLog) => new Decisions(log, STREAM, turns);
  const patience = () => new AbortController();

  test('waits until something else lets it through, and shares its append', async () => {
    const log = new CountingLog();
    const decisions = turnsOn(log);
    const waiting = ['b', 'c'].map((it) =>
      decisions.decideWhenPossible(() => it, origin(), patience().signal),
    );
    await decisions.catchUp();
    await decisions.decide('a', origin());
    const [b, c] = await Promise.all(waiting);
    expect(b?.events).toEqual([seen('b')]);
    expect(c?.events).toEqual([seen('c')]);
    expect(await modelsIn(log)).toEqual(['a', 'b', 'c']);
    expect(log.appends).toBe(1);
  });

  test('is asked again when time has passed', async () => {
    const log = new MemoryLog();
    const decisions = turnsOn(log);
    let wanted = 'c';
    const waiting = decisions.decideWhenPossible(() => wanted, origin(), patience().signal);
    await decisions.catchUp();
    wanted = 'a';
    await decisions.reconsider();
    expect((await waiting)?.events).toEqual([seen('a')]);
  });

  test('that gives up gets nothing, and takes nothing', async () => {
    const log = new MemoryLog();
    const decisions = turnsOn(log);
    const giving = patience();
    const waiting = decisions.decideWhenPossible(() => 'b', origin(), giving.signal);
    await decisions.catchUp();
    giving.abort();
    expect(await waiting).toBeUndefined();
    await decisions.decide('a', origin());
    await decisions.reconsider();
    expect(await modelsIn(log)).toEqual(['a']);
  });

  test('that is not allowed is refused at once', async () => {
    const decisions = decisionsOn(new MemoryLog());
    const refused = decisions.decideWhenPossible(() => 'a+b+c+d+e+f', origin(), patience().signal);
    await expect(refused).rejects.toMatchObject({ code: 'FULL' });
  });

  test('goes on waiting when the log refuses what somebody else wanted', async () => {
    const log = new CountingLog();
    const decisions = turnsOn(log);
    const waiting = decisions.decideWhenPossible(() => 'c', origin(), patience().signal);
    await decisions.catchUp();
    log.refusals = 1;
    await expect(decisions.decide('a', origin())).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
    });
    await decisions.decide('a', origin());
    await decisions.decide('b', origin());
    expect((await waiting)?.events).toEqual([seen('c')]);
  });

  test('that gives up while another process is faster gets nothing, and is told so', async () => {
    const log = new CountingLog();
    const decisions = turnsOn(log);
    const giving = patience();
    const waiting = decisions.decideWhenPossible(() => 'b', origin(), giving.signal);
    await decisions.catchUp();
    log.beforeAppend = () => {
      giving.abort();
      throw new LogError('VERSION_CONFLICT', 'Somebody else was faster.');
    };
    await decisions.decide('a', origin());
    expect(await waiting).toBeUndefined();
    expect(await modelsIn(log)).toEqual(['a']);
  });
});
