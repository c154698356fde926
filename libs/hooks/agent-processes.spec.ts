import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { AgentProcesses } from './agent-processes.js';

const metadata = { actor: 'test', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' };
let log: MemoryLog;
let processes: AgentProcesses;
let gone: Set<number>;
let events = 0;

beforeEach(() => {
  log = new MemoryLog();
  gone = new Set();
  processes = new AgentProcesses(log, fail, ({ pid }) => !gone.has(pid));
});
afterEach(() => processes.stop());

function fail(sentence: string): void {
  throw new Error(sentence);
}

function event(type: string, data: object): NewEvent {
  events += 1;
  const id = `0199a9c1-7b1d-7c3a-9f00-${String(events).padStart(12, '0')}`;
  return { id, type, data: { agent: 'claude-code', ...data }, metadata };
}

function seen(sessionId: string, pid: number, startMark = 'm'): NewEvent {
  const data = { sessionId, host: 'h', pid, startMark, directory: '/shop', startType: 'startup' };
  return event('AgentProcessSeen', data);
}

function ended(sessionId: string): NewEvent {
  return event('SessionEnded', { sessionId, reason: 'other' });
}

/** Hears all that the log holds: the last of it is a session of its own. */
async function hear(...told: NewEvent[]): Promise<void> {
  const last = seen(`last-${events}`, 1_000_000 + events);
  await log.append('session', 'any', [...told, last]);
  processes.start();
  const { pid } = last.data as { pid: number };
  while (!processes.alive().some((one) => one.pid === pid)) await new Promise(setImmediate);
  gone.add(pid);
}

const pids = (sessionId: string) =>
  processes.ofSession('claude-code', sessionId).map(({ pid }) => pid);

describe('The processes of a session', () => {
  test('are those in which it was seen and that still run', async () => {
    await hear(seen('a', 1), seen('a', 2), seen('b', 3));
    expect([pids('a'), pids('b'), pids('c')]).toEqual([[1, 2], [3], []]);
    gone.add(1);
    expect(pids('a')).toEqual([2]);
    expect(processes.ofSession('codex', 'b')).toEqual([]);
  });

  test('end with it', async () => {
    await hear(seen('a', 1), ended('a'));
    expect(pids('a')).toEqual([]);
  });

  test('go on where it was taken up twice and nobody can tell which one has ended', async () => {
    gone.add(1);
    await hear(seen('a', 1), seen('a', 2), seen('a', 3), ended('a'));
    expect(pids('a')).toEqual([2, 3]);
  });

  test('become those of the session that a process turns to', async () => {
    await hear(seen('a', 1), seen('b', 1), ended('a'));
    expect([pids('a'), pids('b')]).toEqual([[], [1]]);
  });

  test('are again those of a session that it comes back to', async () => {
    await hear(seen('a', 1), seen('b', 1), seen('a', 1));
    expect([pids('a'), pids('b')]).toEqual([[1], []]);
  });

  test('are told apart by their start where a pid comes again', async () => {
    await hear(seen('a', 1, 'first'), seen('b', 1, 'second'));
    expect(processes.has('claude-code', 'a', { pid: 1, startMark: 'first' })).toBe(true);
    expect(processes.has('claude-code', 'a', { pid: 1, startMark: 'second' })).toBe(false);
  });

  test('are none where the hook did not tell, or was not believed', async () => {
    const unknown = { sessionId: 'a', directory: null, startType: null };
    const nobody = { host: 'h', pid: null, startMark: null };
    await hear(event('AgentProcessSeen', { ...unknown, ...nobody }));
    expect(pids('a')).toEqual([]);
  });

  test('do not become more than the limit, and those that ended go first', async () => {
    const max = limits.agentProcessesRememberedMax;
    for (let pid = 11; pid <= 20; pid += 1) gone.add(pid);
    const many = Array.from({ length: max + 5 }, (_, at) => seen(`s${at}`, at + 1));
    await hear(...many);
    expect(pids('s0')).toEqual([1]);
    gone.clear();
    expect(pids('s12')).toEqual([]);
    expect(processes.alive().length).toBeLessThanOrEqual(max);
  });
});

test('What cannot be heard is told once', async () => {
  const said: string[] = [];
  const deaf = new AgentProcesses(log, (sentence) => said.push(sentence));
  await log.close();
  deaf.start();
  while (said.length === 0) await new Promise(setImmediate);
  expect(said).toEqual([expect.stringContaining('not heard of any more')]);
});
