import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { FollowOptions } from '#eventstore/src/log.js';
import { EventLog } from '#eventstore/src/log.js';
import { limits } from '#kernel/limits.js';
import { createHttpApp } from '#platform/http-app.js';
import { ListLog } from '#platform/list-log.specification.js';
import { recorded } from '#platform/projection.specification.js';
import { at, usageRecorded } from './session-facts.specification.js';
import { eventShape } from './sessions.shapes.js';
import { StreamController } from './stream.controller.js';

/** Knows how many of its readers are still there. */
class WatchedLog extends ListLog {
  readers = 0;

  override async *follow(after: bigint, options: FollowOptions) {
    this.readers += 1;
    try {
      yield* super.follow(after, options);
    } finally {
      this.readers -= 1;
    }
  }
}

let log: WatchedLog;
let app: NestFastifyApplication;
let url: string;
beforeEach(async () => {
  log = new WatchedLog();
  app = await createHttpApp({
    controllers: [StreamController],
    providers: [{ provide: EventLog, useValue: log }],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/api/v1/stream`;
});
afterEach(async () => {
  await app.close();
});

let next = 1;
beforeEach(() => {
  next = 1;
});
function happen(sessionId = 's1'): void {
  log.add(recorded(next, 'UsageRecorded', usageRecorded({ sessionId }), at(1)));
  next += 1;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function open(query = '', headers: Record<string, string> = {}) {
  const closing = new AbortController();
  const response = await fetch(url + query, { headers, signal: closing.signal });
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  const decoder = new TextDecoder();
  const ended = (async () => {
    try {
      for await (const bytes of response.body!) parser.feed(decoder.decode(bytes as Uint8Array));
    } catch (error) {
      if (!closing.signal.aborted) throw error;
    }
  })();
  const close = async () => {
    closing.abort();
    await ended;
  };
  return { response, messages, ids: () => messages.map((it) => Number(it.id)), close, ended };
}

describe('GET /api/v1/stream', () => {
  test('sends what is recorded from now on, with its position, type and data', async () => {
    happen();
    const stream = await open();
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await until(() => log.readers === 1);
    happen();
    await until(() => stream.messages.length === 1);
    const [message] = stream.messages;
    expect(message).toMatchObject({ id: '2', event: 'UsageRecorded' });
    const event = eventShape.parse(JSON.parse(message!.data));
    expect(event).toMatchObject({ position: '2', data: usageRecorded() });
    await stream.close();
  });

  test('goes on after the last event a reader saw, without gap or repeat, while more come', async () => {
    const seen: number[] = [];
    const total = 60;
    let headers: Record<string, string> = {};
    happen();
    while (seen.length < total) {
      const stream = await open('?after=0', headers);
      await until(() => {
        if (next <= total) happen();
        return stream.messages.length >= 7 || seen.length + stream.messages.length >= total;
      });
      await stream.close();
      seen.push(...stream.ids());
      headers = { 'last-event-id': String(seen.at(-1)) };
    }
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  });

  test('sends only what was asked for', async () => {
    happen('s1');
    happen('s2');
    log.add(
      recorded(3, 'SessionStarted', { sessionId: 's2', agent: 'codex', startType: 'fresh' }, at(1)),
    );
    const session = await open('?after=0&session=s2');
    const both = await open('?after=0&session=s2&type=SessionStarted,ToolFinished');
    await until(() => session.messages.length === 2 && both.messages.length === 1);
    expect(session.ids()).toEqual([2, 3]);
    expect(both.ids()).toEqual([3]);
    await session.close();
    await both.close();
  });

  test.each([
    ['?after=soon', {}, 'after'],
    ['?type=Gossip', {}, 'type'],
    ['', { 'last-event-id': '-1' }, 'Last-Event-ID'],
    ['?after=99', {}, 'The log ends at 0'],
  ])('refuses %s %j', async (query, headers, reason) => {
    const response = await fetch(url + query, { headers });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(reason);
  });

  test('answers who asks for the head alone, and ends', async () => {
    const response = await fetch(url, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect(log.readers).toBe(0);
  });

  test('lets go of the log when the reader leaves', async () => {
    const stream = await open();
    await until(() => log.readers === 1);
    await stream.close();
    await until(() => log.readers === 0);
  });

  test('ends all streams when the server stops', async () => {
    const stream = await open();
    await until(() => log.readers === 1);
    await app.close();
    await stream.ended;
    expect(log.readers).toBe(0);
  });

  test('takes so many readers and no more, and the next one after one has left', async () => {
    const streams = await Promise.all(
      Array.from({ length: limits.streamSubscribersMax }, () => open()),
    );
    const refused = await fetch(url);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    await streams.pop()!.close();
    await until(() => log.readers < limits.streamSubscribersMax);
    const last = await open();
    expect(last.response.status).toBe(200);
    await Promise.all([...streams, last].map((it) => it.close()));
  });
});
