import { LogError } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { Outbox } from './outbox.js';
import { session } from './watch.specification.js';

const notice = (n: number): NewEvent => ({
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  type: 'SessionHeardAgain',
  data: { ...session, taskId: null, silentMs: n },
  metadata: { actor: 'policy:watch', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' },
});

/** A log that tells what it was sent, and refuses as long as it is told to. */
function makeLog() {
  const log = new MemoryLog();
  const append = log.append.bind(log);
  const told = { sent: [] as unknown[][], isRefusing: false };
  log.append = (stream, expected, events) => {
    told.sent.push(events.map(({ data }) => (data as { silentMs: number }).silentMs));
    return told.isRefusing
      ? Promise.reject(new LogError('LOG_UNAVAILABLE', 'The disk is full.'))
      : append(stream, expected, events);
  };
  return { told, outbox: new Outbox(log, 'watch') };
}

describe('What is to be written', () => {
  test('is sent in order, once', async () => {
    const { told, outbox } = makeLog();
    outbox.put(notice(1));
    outbox.put(notice(2));
    const sending = outbox.send();
    outbox.put(notice(3));
    await Promise.all([sending, outbox.send()]);
    await outbox.send();
    expect(told.sent).toEqual([[1, 2], [3]]);
  });

  test('waits on while the log refuses', async () => {
    const { told, outbox } = makeLog();
    told.isRefusing = true;
    outbox.put(notice(1));
    await expect(outbox.send()).rejects.toThrow('The disk is full.');
    told.isRefusing = false;
    outbox.put(notice(2));
    await outbox.send();
    expect(told.sent).toEqual([[1], [1, 2]]);
  });

  test('does not grow for ever: the oldest is given up', async () => {
    const { told, outbox } = makeLog();
    for (let n = 0; n <= limits.watchPendingMax; n += 1) outbox.put(notice(n));
    await outbox.send();
    expect(told.sent[0]).toHaveLength(limits.watchPendingMax);
    expect(told.sent[0]?.[0]).toBe(1);
  });
});
