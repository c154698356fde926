import { limits } from '#kernel/limits.js';
import { claimShape, movedShape, type ClaimAnswer } from './attempts.shapes.js';
import { DispatchServer } from './dispatch-api.contract.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(() => server.stop());

async function claim(
  { workerId, token }: { workerId: string; token: string },
  more: object = {},
): Promise<ClaimAnswer> {
  const { status, body } = await server.post('claims', { workerId, ...more }, token);
  expect([status, body]).toEqual([200, expect.anything()]);
  return claimShape.parse(body);
}

const typesOf = async () => (await server.events()).map(({ type }) => type);

describe('A worker', () => {
  test('claims a task, starts, beats and completes it', async () => {
    const taskId = await server.submit({ prompt: 'Mend the roof.', agent: 'claude-code' });
    const worker = await server.register();
    const claimed = await claim(worker);
    expect(claimed).toMatchObject({
      taskId,
      fencingToken: 1,
      task: { prompt: 'Mend the roof.', agent: 'claude-code', provider: 'anthropic', attempt: 1 },
    });
    expect(Date.parse(claimed.leaseUntil) - Date.now()).toBeLessThanOrEqual(limits.leaseMs);
    const { attemptId, fencingToken } = claimed;
    const move = (name: string, body: object = {}) =>
      server.post(`attempts/${attemptId}/${name}`, { fencingToken, ...body }, worker.token);
    for (const [name, body] of [
      ['start', { sessionId: 'session-1' }],
      ['beat', { at: new Date().toISOString() }],
      ['progress', { percent: 40 }],
    ] as const) {
      const answer = await move(name, body);
      expect(answer.status).toBe(200);
      expect(movedShape.parse(answer.body).leaseUntil).not.toBeNull();
    }
    const done = await move('complete', { result: 'The roof is tight.' });
    const nothing = { leaseUntil: null, halt: null, allowance: null, next: null };
    expect(done.body).toEqual({ attemptId, taskId, ...nothing });
    const task = await server.get(`tasks/${taskId}`);
    expect(task.body).toMatchObject({ state: 'completed', attemptId, percent: 40 });
    expect(await server.content.read(String(task.body.resultHash))).toBe('The roof is tight.');
    expect(await typesOf()).toEqual([
      'TaskSubmitted',
      'WorkerRegistered',
      'TaskClaimed',
      'AttemptStarted',
      'ProgressReported',
      'AttemptCompleted',
    ]);
  });

  test('completes a task and claims the next in one request', async () => {
    const [first, second] = [await server.submit(), await server.submit()];
    const worker = await server.register();
    const { attemptId, fencingToken } = await claim(worker);
    await server.post(`attempts/${attemptId}/start`, { fencingToken }, worker.token);
    const wanted = { fencingToken, claimNext: true, nextAttemptId: 'the-next' };
    const path = `attempts/${attemptId}/complete`;
    const { body } = await server.post(path, wanted, worker.token);
    const { taskId, next } = movedShape.parse(body);
    expect([taskId, next?.taskId, next?.attemptId]).toEqual([first, second, 'the-next']);
    // Its answer was lost, so that it asks again.
    const again = movedShape.parse((await server.post(path, wanted, worker.token)).body);
    expect(again.next).toMatchObject({ taskId: second, attemptId: 'the-next' });
    expect((await typesOf()).filter((type) => type === 'TaskClaimed')).toHaveLength(2);
  });

  test('that repeats a claim under its id gets the same attempt', async () => {
    await server.submit();
    await server.submit();
    const worker = await server.register({ slots: 2 });
    const first = await claim(worker, { attemptId: 'a' });
    expect(await claim(worker, { attemptId: 'a' })).toMatchObject({
      taskId: first.taskId,
      fencingToken: first.fencingToken,
    });
  });

  test('is answered 204 when there is nothing to do', async () => {
    const { workerId, token } = await server.register();
    const { status, body } = await server.post('claims', { workerId, waitMs: 50 }, token);
    expect([status, body]).toEqual([204, {}]);
  });

  test('that waits gets a task as soon as there is one, in the same append', async () => {
    const worker = await server.register();
    const waiting = claim(worker, { waitMs: 30_000 });
    const idle = server.post('claims', { workerId: worker.workerId, waitMs: 10 }, worker.token);
    expect((await idle).status).toBe(204);
    const taskId = await server.submit();
    expect((await waiting).taskId).toBe(taskId);
    const [submitted, claimed] = (await server.events()).slice(-2);
    expect(claimed?.type).toBe('TaskClaimed');
    expect(claimed?.metadata.recordedAt).toBe(submitted?.metadata.recordedAt);
  });

  test('that hangs up while it waits gets none', async () => {
    const [gone, present] = [await server.register(), await server.register()];
    const hanging = new AbortController();
    const { workerId, token } = gone;
    const lost = server.post('claims', { workerId, waitMs: 30_000 }, token, hanging.signal);
    // Once the next answer is there, the first request has been heard.
    await server.post('claims', { workerId: present.workerId, waitMs: 10 }, present.token);
    hanging.abort();
    await expect(lost).rejects.toThrow();
    const waiting = claim(present, { waitMs: 30_000 });
    await server.submit();
    expect((await waiting).task.prompt).toBe('Tidy up.');
    const holders = (await server.get('workers')).body.items as { running: number }[];
    expect(holders.map(({ running }) => running)).toEqual([0, 1]);
  });

  test('that leaves gives back what it holds', async () => {
    const taskId = await server.submit();
    const worker = await server.register();
    await claim(worker);
    const left = await server.post(`workers/${worker.workerId}/leave`, {}, worker.token);
    expect(left.status).toBe(204);
    expect((await server.get(`tasks/${taskId}`)).body).toMatchObject({ state: 'ready' });
    const { status, body } = await server.post('claims', { workerId: worker.workerId });
    expect([status, body.code]).toEqual([404, 'WORKER_NOT_FOUND']);
  });
});

describe('A stale token', () => {
  test.each(['start', 'beat', 'progress', 'complete', 'fail', 'release'])(
    'is refused for %s with 409, and the log tells it',
    async (move) => {
      await server.submit();
      const worker = await server.register();
      const { attemptId, fencingToken } = await claim(worker);
      const release = `attempts/${attemptId}/release`;
      await server.post(release, { fencingToken }, worker.token);
      const again = await claim(worker);
      expect(again.fencingToken).toBeGreaterThan(fencingToken);
      const late = await server.post(`attempts/${attemptId}/${move}`, { fencingToken });
      expect(late.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect([late.status, late.body.code]).toEqual([409, 'STALE_FENCING_TOKEN']);
      expect((await server.events()).at(-1)).toMatchObject({
        type: 'StaleTokenRefused',
        data: { attemptId, fencingToken, move },
      });
    },
  );

  test('is told from one that was never given', async () => {
    await server.submit();
    const { attemptId, fencingToken } = await claim(await server.register());
    const beat = { fencingToken: fencingToken + 1 };
    const { status, body } = await server.post(`attempts/${attemptId}/beat`, beat);
    expect([status, body.code]).toEqual([409, 'UNKNOWN_FENCING_TOKEN']);
  });

  test('does not lose what it brings: the result is kept, and may be adopted', async () => {
    const taskId = await server.submit();
    const worker = await server.register();
    const { attemptId, fencingToken } = await claim(worker);
    await server.post(`attempts/${attemptId}/release`, { fencingToken });
    const late = { fencingToken, result: 'Done after all.' };
    expect((await server.post(`attempts/${attemptId}/complete`, late)).status).toBe(409);
    const adopted = await server.post(`tasks/${taskId}/adopt`, { attemptId });
    expect(adopted.body).toMatchObject({ state: 'completed', lateResults: [{ attemptId }] });
    expect(await server.content.read(String(adopted.body.resultHash))).toBe('Done after all.');
  });
});

describe('Bad input', () => {
  test('a beat from the future is refused, and the lease goes on', async () => {
    await server.submit();
    const { attemptId, fencingToken } = await claim(await server.register());
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const path = `attempts/${attemptId}/beat`;
    const { status, body } = await server.post(path, { fencingToken, at });
    expect([status, body.code]).toEqual([400, 'BAD_REQUEST']);
    expect(String(body.detail)).toContain("ahead of the server's clock");
    expect((await server.post(path, { fencingToken })).status).toBe(200);
  });

  test("another worker's token is refused for a claim and for every move", async () => {
    await server.submit();
    const [one, other] = [await server.register(), await server.register()];
    const { attemptId, fencingToken } = await claim(one);
    for (const [path, body] of [
      ['claims', { workerId: one.workerId }],
      [`attempts/${attemptId}/beat`, { fencingToken }],
      [`workers/${one.workerId}/leave`, {}],
      ['workers', { workerId: one.workerId }],
    ] as const) {
      const answer = await server.post(path, body, other.token);
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'NOT_THIS_WORKER']);
    }
  });

  test.each([
    ['claims', {}],
    ['claims', { workerId: 'w', waitMs: limits.claimWaitMsMax + 1 }],
    ['claims', { workerId: 'w', waitMs: -1 }],
    ['attempts/a/beat', {}],
    ['attempts/a/beat', { fencingToken: 0 }],
    ['attempts/a/beat', { fencingToken: 1, leaseMs: 1e9 }],
    ['attempts/a/progress', { fencingToken: 1, percent: 101 }],
    ['workers', { slots: 0 }],
    ['workers', { agents: ['other'] }],
    ['workers', { shards: [] }],
  ])('%s with %j is 400', async (path, body) => {
    const answer = await server.post(path, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'BAD_REQUEST']);
  });

  test('an attempt that there is not is 404', async () => {
    const { status, body } = await server.post('attempts/none/beat', { fencingToken: 1 });
    expect([status, body.code]).toEqual([404, 'ATTEMPT_NOT_FOUND']);
  });
});
