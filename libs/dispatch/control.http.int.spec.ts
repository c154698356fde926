import { createParser } from 'eventsource-parser';
import { DispatchServer } from './dispatch-api.contract.js';

let server: DispatchServer;
const ending = new Set<AbortController>();
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(async () => {
  for (const it of ending) it.abort();
  ending.clear();
  await server.stop();
});

interface Message {
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

/** The control stream of a worker, message by message. */
async function* control({ workerId, token }: { workerId: string; token: string }) {
  const end = new AbortController();
  ending.add(end);
  const response = await fetch(`${server.url}/api/v1/workers/${workerId}/control`, {
    headers: { authorization: `Bearer ${token}` },
    signal: end.signal,
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  const messages: Message[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      messages.push({ event, data: JSON.parse(data) as Message['data'] });
    },
  });
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    parser.feed(chunk);
    yield* messages.splice(0);
  }
}

type Stream = ReturnType<typeof control>;
const next = async (stream: Stream): Promise<Message | undefined> =>
  (await stream.next()).value ?? undefined;

async function claimed(worker: { workerId: string; token: string }) {
  const { workerId, token } = worker;
  const { body } = await server.post('claims', { workerId, waitMs: 5_000 }, token);
  return {
    attemptId: String(body.attemptId),
    taskId: String(body.taskId),
    fencingToken: Number(body.fencingToken),
  };
}

describe('A worker that listens', () => {
  test('is told first what it holds', async () => {
    const worker = await server.register();
    await server.submit();
    const { attemptId } = await claimed(worker);
    expect(await next(control(worker))).toEqual({
      event: 'holds',
      data: { attemptIds: [attemptId], halts: [] },
    });
  });

  test('is told at once that a task is cancelled, parked, or given back for it', async () => {
    const worker = await server.register({ slots: 2 });
    const stream = control(worker);
    expect(await next(stream)).toMatchObject({ event: 'holds', data: { attemptIds: [] } });
    await server.submit();
    const first = await claimed(worker);
    await server.post(`tasks/${first.taskId}/cancel`, { reason: 'not needed' });
    expect(await next(stream)).toEqual({
      event: 'stop',
      data: { attemptId: first.attemptId, reason: 'Its task was cancelled. not needed' },
    });
    await server.submit();
    const second = await claimed(worker);
    await server.post(`tasks/${second.taskId}/park`);
    expect(await next(stream)).toMatchObject({ data: { attemptId: second.attemptId } });
    await server.submit();
    const third = await claimed(worker);
    await server.post(`workers/${worker.workerId}/leave`);
    expect(await next(stream)).toMatchObject({
      event: 'stop',
      data: { attemptId: third.attemptId },
    });
    expect(await next(stream)).toEqual({ event: 'leave', data: { reason: '' } });
  });

  test('is told at once what to halt, and again when it comes back', async () => {
    const worker = await server.register();
    const stream = control(worker);
    await next(stream);
    await server.submit();
    const { attemptId, taskId, fencingToken } = await claimed(worker);
    await server.post(`tasks/${taskId}/pause`, { reason: 'later' });
    expect(await next(stream)).toEqual({ event: 'pause', data: { attemptId, reason: 'later' } });
    await server.post(`tasks/${taskId}/pause`, { reason: 'now', kill: true });
    expect(await next(stream)).toEqual({ event: 'kill', data: { attemptId, reason: 'now' } });
    await server.start();
    const halts = [{ attemptId, how: 'kill', reason: 'now' }];
    expect(await next(control(worker))).toMatchObject({ event: 'holds', data: { halts } });
    const beat = await server.post(`attempts/${attemptId}/beat`, { fencingToken }, worker.token);
    expect(beat.body).toMatchObject({ halt: { how: 'kill', reason: 'now' } });
  });

  test('hears nothing of what others hold', async () => {
    const [one, other] = [await server.register(), await server.register()];
    const stream = control(one);
    await next(stream);
    await server.submit();
    const theirs = await claimed(other);
    await server.post(`tasks/${theirs.taskId}/cancel`);
    await server.submit();
    const own = await claimed(one);
    await server.post(`tasks/${own.taskId}/cancel`);
    expect(await next(stream)).toMatchObject({ data: { attemptId: own.attemptId } });
  });

  test('is sent away when the server stops', async () => {
    const stream = control(await server.register());
    await next(stream);
    await server.start();
    expect(await next(stream)).toBeUndefined();
  });
});

test.each([
  ['that there is not', 'none', 404, 'WORKER_NOT_FOUND'],
  ['of another', '', 403, 'NOT_THIS_WORKER'],
])('The stream of a worker %s is refused', async (_, id, status, code) => {
  const [one, other] = [await server.register(), await server.register()];
  const path = `workers/${id || one.workerId}/control`;
  const headers = id === '' ? { authorization: `Bearer ${other.token}` } : {};
  const response = await fetch(`${server.url}/api/v1/${path}`, { headers });
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
    status,
    code,
  ]);
});
