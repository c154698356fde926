import { limits } from '#kernel/limits.js';
import { DispatchServer } from './dispatch-api.contract.js';
import { outputShape, resultShape } from './output.shapes.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(() => server.stop());

async function running() {
  const taskId = await server.submit();
  const worker = await server.register();
  const { body } = await server.post('claims', { workerId: worker.workerId }, worker.token);
  const [attemptId, fencingToken] = [String(body.attemptId), Number(body.fencingToken)];
  const tell = (pieces: object[]) =>
    server.post(`attempts/${attemptId}/output`, { fencingToken, pieces }, worker.token);
  return { taskId, attemptId, fencingToken, worker, tell };
}
const piece = (index: number, text: string) => ({ index, kind: 'text', text });
const outputOf = async (taskId: string, query = '') =>
  outputShape.parse((await server.get(`tasks/${taskId}/output${query}`)).body);
const textsOf = async (taskId: string, query = '') =>
  (await outputOf(taskId, query)).items.map(({ text }) => text);

describe('What an agent prints', () => {
  test('is read piece by piece, and from where one left off', async () => {
    const { taskId, attemptId, tell } = await running();
    expect((await tell([piece(0, 'one'), piece(1, 'two')])).body).toEqual({ hasRoom: true });
    await tell([piece(2, 'three')]);
    expect(await outputOf(taskId)).toMatchObject({ attemptId, hasEnded: false, next: 3 });
    expect(await textsOf(taskId, '?from=1&limit=1')).toEqual(['two']);
    expect(await outputOf(taskId, '?from=3')).toMatchObject({ items: [], next: 3 });
  });

  test('is kept once when it is told twice, also after a restart', async () => {
    const { taskId, tell } = await running();
    await tell([piece(0, 'one'), piece(1, 'two')]);
    await tell([piece(1, 'two'), piece(2, 'three')]);
    await server.start();
    await tell([piece(2, 'three'), piece(4, 'five')]);
    expect(await textsOf(taskId)).toEqual(['one', 'two', 'three', 'five']);
  });

  test('holds no secret', async () => {
    const { taskId, tell } = await running();
    await tell([piece(0, 'key sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH')]);
    const [told] = await textsOf(taskId);
    expect(told).toContain('[redacted:anthropic-key:');
  });

  test('is taken from nobody who has lost the attempt', async () => {
    const { taskId, attemptId, fencingToken, tell } = await running();
    await server.post(`attempts/${attemptId}/release`, { fencingToken });
    const { status, body } = await tell([piece(0, 'late')]);
    expect([status, body.code]).toEqual([409, 'STALE_FENCING_TOKEN']);
    expect(await outputOf(taskId)).toMatchObject({ hasEnded: true, items: [] });
  });

  test('is taken from no other worker, also when the attempt has ended', async () => {
    const { attemptId, fencingToken } = await running();
    const { token } = await server.register();
    const body = { fencingToken, pieces: [piece(0, 'not mine')] };
    const tell = async () =>
      (await server.post(`attempts/${attemptId}/output`, body, token)).body.code;
    expect(await tell()).toBe('NOT_THIS_WORKER');
    await server.post(`attempts/${attemptId}/release`, { fencingToken });
    const events = (await server.events()).length;
    expect(await tell()).toBe('NOT_THIS_WORKER');
    expect(await server.events()).toHaveLength(events);
  });

  test('has a limit, which is said', async () => {
    const { taskId, tell } = await running();
    const text = 'x'.repeat(limits.outputPieceCharactersMax);
    const perRequest = 200;
    const needed = Math.ceil(limits.outputBytesPerAttemptMax / text.length) + 1;
    let hasRoom: unknown = true;
    for (let first = 0; first < needed; first += perRequest) {
      const count = Math.min(perRequest, needed - first);
      const pieces = Array.from({ length: count }, (_, index) => piece(first + index, text));
      hasRoom = (await tell(pieces)).body.hasRoom;
    }
    expect(hasRoom).toBe(false);
    const end = await outputOf(taskId, `?from=${needed - 30}`);
    expect(end.items.at(-1)?.text).toContain('too long');
  });

  test('is of an attempt that there is', async () => {
    const { taskId } = await running();
    const { status, body } = await server.get(`tasks/${taskId}/output?attemptId=other`);
    expect([status, body.code]).toEqual([404, 'ATTEMPT_NOT_FOUND']);
    const waiting = await server.submit();
    expect(await outputOf(waiting)).toMatchObject({ attemptId: null, hasEnded: false, items: [] });
    await server.post(`tasks/${waiting}/cancel`);
    expect(await outputOf(waiting)).toMatchObject({ attemptId: null, hasEnded: true });
  });
});

test('What a task came to is told once it has completed', async () => {
  const { taskId, attemptId, fencingToken } = await running();
  const resultOf = async () => resultShape.parse((await server.get(`tasks/${taskId}/result`)).body);
  expect(await resultOf()).toEqual({ taskId, state: 'running', result: null });
  await server.post(`attempts/${attemptId}/complete`, { fencingToken, result: 'All is well.' });
  expect(await resultOf()).toEqual({ taskId, state: 'completed', result: 'All is well.' });
});
