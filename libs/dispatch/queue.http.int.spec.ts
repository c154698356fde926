import { limits } from '#kernel/limits.js';
import { DispatchServer } from './dispatch-api.contract.js';
import { lanesShape, queueShape } from './queue.shapes.js';
import { workersPage } from './workers.shapes.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(() => server.stop());

const statusOfClaim = async (workerId: string) =>
  (await server.post('claims', { workerId })).status;

describe('A gate', () => {
  test.each(['pause', 'drain'])(
    'closes at once by %s, and is shown with its reason',
    async (move) => {
      await server.submit({ lane: 'background' });
      const { workerId } = await server.register();
      const gate = { scope: 'lane:background', reason: 'deploy' };
      expect((await server.post(`queue/${move}`, gate)).body).toEqual({ changed: true });
      expect((await server.post(`queue/${move}`, gate)).body).toEqual({ changed: false });
      expect(await statusOfClaim(workerId)).toBe(204);
      const { closed } = queueShape.parse((await server.get('queue')).body);
      expect(closed).toMatchObject([{ ...gate, mode: move === 'pause' ? 'paused' : 'draining' }]);
      expect(Date.parse(closed[0]?.since ?? '')).toBeLessThanOrEqual(Date.now());
      await server.submit({ lane: 'normal' });
      expect(await statusOfClaim(workerId)).toBe(200);
    },
  );

  test('of everything needs no body, and opens for those who wait', async () => {
    const paused = await fetch(`${server.url}/api/v1/queue/pause`, { method: 'POST' });
    expect(paused.status).toBe(200);
    await server.submit();
    const { workerId } = await server.register();
    const waiting = server.post('claims', { workerId, waitMs: 30_000 });
    await server.post('queue/resume');
    expect((await waiting).status).toBe(200);
  });

  test('limits how many run at once', async () => {
    await server.submit({ team: 'core' });
    await server.submit({ team: 'core' });
    const { workerId } = await server.register({ slots: 2 });
    await server.post('queue/limits', { scope: 'team:core', limit: 1 });
    expect(await statusOfClaim(workerId)).toBe(200);
    expect(await statusOfClaim(workerId)).toBe(204);
    const { wipLimits } = queueShape.parse((await server.get('queue')).body);
    expect(wipLimits).toEqual([{ scope: 'team:core', limit: 1, running: 1 }]);
    await server.post('queue/limits', { scope: 'team:core', limit: null });
    expect(await statusOfClaim(workerId)).toBe(200);
  });

  test.each([{ scope: 'lanes:normal' }, { scope: '' }, { scope: 'all', limit: -1 }])(
    'that there is not is refused: %j',
    async (body) => {
      const path = 'limit' in body ? 'queue/limits' : 'queue/pause';
      const answer = await server.post(path, body);
      expect([answer.status, answer.body.code]).toEqual([400, 'BAD_REQUEST']);
    },
  );
});

describe('The queue', () => {
  test('counts where tasks are, and tells what its shards are up to', async () => {
    const first = await server.submit({ lane: 'critical' });
    await server.submit({ dependsOn: [first] });
    await server.submit({ shard: 'review' });
    const parked = await server.submit();
    await server.post(`tasks/${parked}/park`);
    const { workerId } = await server.register({ shards: ['impl'], slots: 3 });
    await server.post('claims', { workerId });
    const queue = queueShape.parse((await server.get('queue')).body);
    expect(queue).toMatchObject({ waiting: 1, ready: 1, delayed: 0, running: 1 });
    expect(queue).toMatchObject({ open: 3, parked: 1 });
    const [impl, review] = queue.shards;
    expect(impl).toMatchObject({ shard: 'impl', slots: 3, servedPerHourPerSlot: null });
    expect(impl?.observedWaitMs?.max).toBeGreaterThanOrEqual(0);
    expect(review).toMatchObject({ shard: 'review', slots: 0, observedWaitMs: null });
    expect((impl?.arrivalsPerHour ?? 0) / (review?.arrivalsPerHour ?? 1)).toBeCloseTo(3, 5);
    const lanes = lanesShape.parse((await server.get('lanes')).body).items;
    expect(lanes).toMatchObject([
      { lane: 'critical', running: 1, headStartMs: limits.backgroundLaneBehindMs },
      { lane: 'normal', waiting: 1, ready: 1 },
      { lane: 'background', ready: 0, oldestWaitMs: null, headStartMs: 0 },
    ]);
    const workers = workersPage.parse((await server.get('workers')).body).items;
    expect(workers).toMatchObject([{ workerId, running: 1, attempts: [{ taskId: first }] }]);
  });
});

describe('A server that stops', () => {
  test('sends those away who wait for a task, and hands out none any more', async () => {
    const { workerId } = await server.register();
    const waiting = server.post('claims', { workerId, waitMs: limits.claimWaitMsMax });
    // Once the next answer is there, the first request has been heard.
    await server.post('claims', { workerId, waitMs: 10 });
    await server.start();
    expect((await waiting).status).toBe(204);
    await server.submit();
    expect((await server.get('workers')).body).toMatchObject({ items: [{ running: 0 }] });
  });
});

describe('A server that comes back', () => {
  test('takes up what ran: the same attempt goes on under its token, with a fresh lease', async () => {
    const taskId = await server.submit();
    const { workerId, token } = await server.register();
    const { attemptId, fencingToken } = (await server.post('claims', { workerId })).body;
    await server.post(`attempts/${String(attemptId)}/start`, { fencingToken }, token);
    await server.start();
    const path = `attempts/${String(attemptId)}/complete`;
    expect((await server.post(path, { fencingToken }, token)).status).toBe(200);
    expect((await server.get(`tasks/${taskId}`)).body).toMatchObject({
      state: 'completed',
      attempts: 1,
    });
    const types = (await server.events()).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(['LeasesRenewed', 'AttemptCompleted']);
  });
});
