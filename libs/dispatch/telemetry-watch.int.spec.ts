import { randomUUID } from 'node:crypto';
import { sessionStream } from '#eventstore/vocabulary/session.events.js';
import type { DataOf, EventType } from '#eventstore/vocabulary/vocabulary.js';
import { DispatchServer } from './dispatch-api.contract.js';
import type { QueueAnswer } from './queue.shapes.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(() => server.stop());

/** A session's telemetry reaches the log. */
async function tell<T extends EventType>(sessionId: string, type: T, data: DataOf<T>) {
  const occurredAt = new Date().toISOString();
  const metadata = { actor: 'agent:claude-code', source: 'test', occurredAt };
  const stream = sessionStream('claude-code', sessionId);
  await server.log.append(stream, 'any', [{ id: randomUUID(), type, data, metadata }]);
}

const refused = (sessionId: string, statusCode: number): DataOf<'RequestFailed'> => ({
  ...{ sessionId, agent: 'claude-code', thread: 'main', provider: 'anthropic' },
  ...{ model: 'claude-x', statusCode, error: 'refused', attempt: 1, durationMs: 10 },
});

async function coolDowns(count: number): Promise<QueueAnswer['coolingDown']> {
  for (;;) {
    const { coolingDown } = (await server.get('queue')).body as unknown as QueueAnswer;
    if (coolingDown.length >= count) return coolingDown;
  }
}

async function running(sessionId: string, seats: object[]): Promise<string> {
  await server.submit();
  const { workerId } = await server.register({ seats });
  const { body } = await server.post('claims', { workerId });
  const { attemptId, fencingToken } = body;
  await server.post(`attempts/${String(attemptId)}/start`, { fencingToken, sessionId });
  return String(attemptId);
}

const seat = (account: string) => ({ agent: 'claude-code', account });

describe('A provider that refuses an agent, as its telemetry tells', () => {
  test.each([429, 529])("is left alone for the attempt's account (%d)", async (statusCode) => {
    await running('s-1', [seat('work')]);
    await server.register({ seats: [seat('other')] });
    await tell('s-1', 'RequestFailed', refused('s-1', statusCode));
    expect(await coolDowns(1)).toMatchObject([
      { provider: 'anthropic', account: 'work', model: null, level: 0, state: 'closed' },
    ]);
    await server.submit();
    const { workerId } = await server.register({ seats: [seat('work')] });
    expect((await server.post('claims', { workerId })).status).toBe(204);
  });

  test('is left alone for every account when it is not known whose session it is', async () => {
    await server.register({ seats: [seat('one'), seat('two'), { agent: 'codex' }] });
    await tell('a-person', 'RequestFailed', refused('a-person', 429));
    const closed = await coolDowns(2);
    expect(closed.map(({ account, model }) => [account, model])).toEqual([
      ['one', 'claude-x'],
      ['two', 'claude-x'],
    ]);
  });

  test('is not left alone for an error that is nobody’s fault but the request’s', async () => {
    await running('s-1', [seat('work')]);
    await tell('s-1', 'RequestFailed', refused('s-1', 400));
    await tell('s-2', 'RequestFailed', refused('s-2', 429));
    expect(await coolDowns(1)).toMatchObject([{ model: 'claude-x' }]);
  });
});

describe('An agent that gets on', () => {
  test('is heard by any event of its session', async () => {
    await tell('s-1', 'RequestFailed', refused('s-1', 400));
    const attemptId = await running('s-1', [seat('work')]);
    const heard: string[] = [];
    const { dispatcher } = server;
    const progressed = dispatcher.progressed.bind(dispatcher);
    let listening: ((value: string) => void) | undefined;
    dispatcher.progressed = (id) => {
      progressed(id);
      heard.push(id);
      listening?.(id);
    };
    const next = new Promise<string>((resolve) => (listening = resolve));
    const events = setInterval(() => {
      void tell('s-1', 'RequestFailed', refused('s-1', 400));
    }, 100);
    expect(await next).toBe(attemptId);
    clearInterval(events);
  });
});
