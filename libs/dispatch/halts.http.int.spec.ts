import { DispatchServer, type Answer } from './dispatch-api.contract.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(async () => {
  await server.stop();
});

interface Worker {
  readonly workerId: string;
  readonly token: string;
}

const claim = ({ workerId, token }: Worker): Promise<Answer> =>
  server.post('claims', { workerId }, token);

/** What its worker tells once the agent has ended. */
function halted({ token }: Worker, attempt: Answer['body'], seen: object = {}): Promise<Answer> {
  const { attemptId, fencingToken } = attempt;
  const body = { fencingToken, sessionId: 'session', ended: 2, survivors: [], ...seen };
  return server.post(`attempts/${String(attemptId)}/halted`, body, token);
}

describe('A task that is paused over HTTP', () => {
  test('goes on in its session, on its host, once it is resumed', async () => {
    const worker = await server.register({ host: 'box/impl' });
    const elsewhere = await server.register({ host: 'other/impl' });
    const taskId = await server.submit();
    const first = await claim(worker);
    expect(first.body).toMatchObject({ resume: null });
    const ordered = await server.post(`tasks/${taskId}/pause`, { reason: 'lunch' });
    const halt = { how: 'pause', reason: 'lunch', holder: null };
    expect(ordered.body).toMatchObject({ state: 'running', halt });
    expect((await halted(worker, first.body)).status).toBe(200);
    const { attemptId } = first.body;
    const conversation = { sessionId: 'session', host: 'box/impl', attemptId };
    const paused = await server.get(`tasks/${taskId}`);
    expect(paused.body).toMatchObject({ state: 'paused', reason: 'lunch', conversation });
    expect((await server.get('tasks?state=paused')).body).toMatchObject({ items: [{ taskId }] });
    expect((await server.get('queue')).body).toMatchObject({ paused: 1, open: 1 });

    await server.post(`tasks/${taskId}/resume`);
    expect((await claim(elsewhere)).status).toBe(204);
    const again = await claim(worker);
    expect(again.body).toMatchObject({ taskId, resume: { sessionId: 'session', attemptId } });
  });

  test('says why it waits, and what to do when its host does not come back', async () => {
    const worker = await server.register({ host: 'box/impl' });
    const taskId = await server.submit();
    const { body } = await claim(worker);
    await server.post(`tasks/${taskId}/pause`, { reason: 'lunch' });
    const now = async () => (await server.get(`tasks/${taskId}/why`)).body.now as string[];
    expect((await now())[1]).toBe('It is about to be halted by an operator: lunch.');
    const survivors = [{ pid: 4711, name: 'postgres' }];
    await halted(worker, body, { survivors });
    expect(await now()).toEqual([
      'It is paused by an operator: lunch.',
      'Resume it to have it carry on its conversation on host box/impl; retry it to have it begin anew anywhere.',
    ]);
    await server.post(`workers/${worker.workerId}/leave`);
    await server.post(`tasks/${taskId}/resume`, { reason: 'back' });
    expect((await now())[0]).toMatch(
      /^Its conversation is on host box\/impl and can only be carried on there/,
    );
    const { chain } = (await server.get(`tasks/${taskId}/why`)).body;
    const steps = (chain as { type: string; what: string }[]).map(({ type, what }) => [type, what]);
    expect(Object.fromEntries(steps)).toMatchObject({
      AttemptHalted: expect.stringContaining('these run all the same: 4711 (postgres)') as string,
      TaskPaused: expect.stringContaining('Its session session can be carried on') as string,
      TaskResumed: 'Resumed: back.',
    });
  });

  test.each([
    ['pid 0', { survivors: [{ pid: 0, name: 'init' }] }],
    ['too many survivors', { survivors: Array(21).fill({ pid: 1, name: 'x' }) as object[] }],
    ['less than no processes', { ended: -1 }],
    ['a session without a name', { sessionId: '' }],
  ])('is not halted by a report with %s', async (_, seen) => {
    const worker = await server.register();
    const taskId = await server.submit();
    const { body } = await claim(worker);
    await server.post(`tasks/${taskId}/pause`);
    expect(await halted(worker, body, seen)).toMatchObject({ status: 400 });
  });

  test('is halted by its own worker only', async () => {
    const [worker, other] = [await server.register(), await server.register()];
    const taskId = await server.submit();
    const { body } = await claim(worker);
    await server.post(`tasks/${taskId}/pause`);
    expect((await halted(other, body)).body).toMatchObject({ code: 'NOT_THIS_WORKER' });
  });
});
