import { setTimeout as delay } from 'node:timers/promises';
import type { TaskAnswer } from '#libs/dispatch/task.shapes.js';
import { ServerProcess, type ServerProcessOptions } from '#platform/server-process.js';
import { auditOf, dispatchEventsIn, eventsOf } from './dispatch-audit.js';
import { DispatchClient, type WorkerClient } from './dispatch-client.js';
import { freePort, TemporaryHomes, waitUntil } from './support.js';
import { WorkerProcess } from './worker-process.js';

const leaseMs = 3_000;
/** A worker that is dead must be replaced within its lease and this. */
const replacedWithinMs = 30_000;
const claimWaitMs = 40_000;

const homes = new TemporaryHomes();
const processes: WorkerProcess[] = [];
let options: ServerProcessOptions;
let server: ServerProcess;
let operator: DispatchClient;

beforeEach(async () => {
  const port = String(await freePort());
  const environment = { TRI_AGENT_LEASE_MS: String(leaseMs), TRI_AGENT_HTTP_PORT: port };
  options = { home: homes.create(), environment };
  server = await ServerProcess.start(options);
  operator = DispatchClient.operatorOf(server);
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((worker) => worker.kill()));
  await server.stop('SIGKILL');
});
afterAll(() => {
  homes.removeAll();
});

async function startWorker(): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start(await operator.register());
  processes.push(worker);
  return worker;
}

const events = () => dispatchEventsIn(options.home);
const typesOf = (taskId: string) =>
  events()
    .filter(({ data }) => 'taskId' in data && data.taskId === taskId)
    .map(({ type }) => type);

async function taskOf(taskId: string): Promise<TaskAnswer> {
  return (await operator.get<TaskAnswer>(`tasks/${taskId}`)).body;
}

async function completeBy(worker: WorkerClient, result: string, waitMs = 0): Promise<string> {
  const held = await worker.mustClaim(waitMs);
  await worker.move(held, 'start');
  expect((await worker.move(held, 'complete', { result })).status).toBe(200);
  return held.attemptId;
}

describe('A worker that was stopped for longer than its lease', () => {
  const moves = ['start', 'beat', 'progress', 'complete', 'fail', 'release'] as const;

  test('is refused every move with an event each, and the result of who took over stands', async () => {
    const taskId = await operator.submit();
    const zombie = await startWorker();
    zombie.signal('SIGSTOP');
    const heir = await operator.register();
    const held = await heir.mustClaim(claimWaitMs);
    expect(held).toMatchObject({ taskId, fencingToken: zombie.held.fencingToken + 1 });
    const [expired] = eventsOf(events(), 'LeaseExpired');
    expect(expired?.silentMs).toBeGreaterThan(leaseMs);
    await heir.move(held, 'start');
    zombie.signal('SIGCONT');
    for (const move of moves) {
      const more = move === 'complete' ? { result: 'Of the dead.' } : {};
      const { status, code } = await zombie.make(move, more);
      expect([move, status, code]).toEqual([move, 409, 'STALE_FENCING_TOKEN']);
    }
    expect((await heir.move(held, 'complete', { result: 'Of the living.' })).status).toBe(200);
    const refused = eventsOf(events(), 'StaleTokenRefused');
    expect(refused.map(({ move }) => move).sort()).toEqual([...moves].sort());
    const { attemptId } = zombie.held;
    expect(new Set(refused.map((it) => it.attemptId))).toEqual(new Set([attemptId]));
    const task = await taskOf(taskId);
    expect(task).toMatchObject({ state: 'completed', attemptId: held.attemptId });
    expect(task.lateResults).toMatchObject([{ attemptId }]);
    expect(task.lateResults[0]?.resultHash).not.toBe(task.resultHash);
    expect((await operator.post(`tasks/${taskId}/adopt`, { attemptId })).status).toBe(409);
    expect(auditOf(events())).toMatchObject({ completedOnce: 1, claimedTwice: [] });
  });

  test('brings a result that a person may adopt where nobody brought another', async () => {
    const taskId = await operator.submit({ retries: 0 });
    const zombie = await startWorker();
    zombie.signal('SIGSTOP');
    await waitUntil('its task is parked', async () => (await taskOf(taskId)).state === 'parked');
    zombie.signal('SIGCONT');
    const late = await zombie.make('complete', { result: 'Done after all.' });
    expect([late.status, late.code]).toEqual([409, 'STALE_FENCING_TOKEN']);
    const { attemptId } = zombie.held;
    const adopted = await operator.post<TaskAnswer>(`tasks/${taskId}/adopt`, { attemptId });
    expect(adopted.body).toMatchObject({ state: 'completed', lateResults: [{ attemptId }] });
    expect(adopted.body.resultHash).toBe(adopted.body.lateResults[0]?.resultHash);
  });
});

describe('The task of a worker', () => {
  test('that was killed is claimed again within its lease and 30 s, by the clock of dispatch', async () => {
    const taskId = await operator.submit();
    const victim = await startWorker();
    await waitUntil('it has beaten', () => victim.beats(200) > 0);
    const heir = completeBy(await operator.register(), 'Done.', claimWaitMs);
    await victim.kill();
    await heir;
    const [expired] = eventsOf(events(), 'LeaseExpired');
    const [, second] = eventsOf(events(), 'TaskClaimed');
    const lastHeardMs = expired!.atMs - expired!.silentMs;
    expect(expired!.silentMs).toBeGreaterThan(leaseMs);
    expect(second!.atMs - lastHeardMs).toBeLessThanOrEqual(leaseMs + replacedWithinMs);
    expect(await taskOf(taskId)).toMatchObject({ state: 'completed', attempts: 2 });
  });

  test('that takes its leave is given back at once', async () => {
    const taskId = await operator.submit();
    const [leaving, heir] = [await operator.register(), await operator.register()];
    const held = await leaving.mustClaim();
    await leaving.move(held, 'start');
    await leaving.post(`workers/${leaving.workerId}/leave`, { reason: 'Its host is going down.' });
    await completeBy(heir, 'Done.');
    expect(typesOf(taskId).slice(1)).toEqual([
      'TaskClaimed',
      'AttemptStarted',
      'AttemptReleased',
      'TaskClaimed',
      'AttemptStarted',
      'AttemptCompleted',
    ]);
  });

  test('whose attempts are used up is parked, and runs when it is replayed', async () => {
    const taskId = await operator.submit({ retries: 0 });
    const victim = await startWorker();
    await victim.kill();
    await waitUntil('its task is parked', async () => (await taskOf(taskId)).state === 'parked');
    expect(eventsOf(events(), 'TaskParked')).toMatchObject([{ taskId, cause: 'attempts-used-up' }]);
    const heir = await operator.register();
    expect(await heir.claim()).toBeUndefined();
    expect((await operator.post(`tasks/${taskId}/replay`)).status).toBe(200);
    await completeBy(heir, 'Done.');
    expect((await taskOf(taskId)).state).toBe('completed');
  });
});

describe('A server', () => {
  test('that was killed goes on with what runs: fresh leases, the same attempt, its old token', async () => {
    const taskId = await operator.submit();
    const worker = await startWorker();
    const { attemptId } = worker.held;
    await server.stop('SIGKILL');
    server = await ServerProcess.start(options);
    const before = worker.beats(200);
    await waitUntil('its beats are heard again', () => worker.beats(200) > before);
    const other = await operator.register();
    expect(await other.claim()).toBeUndefined();
    expect(await worker.make('complete', { result: 'Done.' })).toMatchObject({ status: 200 });
    expect(eventsOf(events(), 'LeasesRenewed')).toMatchObject([{ attempts: 1 }]);
    expect(typesOf(taskId)).toEqual([
      'TaskSubmitted',
      'TaskClaimed',
      'AttemptStarted',
      'AttemptCompleted',
    ]);
    expect(await taskOf(taskId)).toMatchObject({ state: 'completed', attemptId });
  });

  test('that stood still for three leases takes none from workers that beat in vain', async () => {
    await Promise.all([operator.submit(), operator.submit(), operator.submit()]);
    const workers = await Promise.all([startWorker(), startWorker(), startWorker()]);
    process.kill(server.pid, 'SIGSTOP');
    await delay(3 * leaseMs);
    process.kill(server.pid, 'SIGCONT');
    const before = workers.map((worker) => worker.beats(200));
    await waitUntil('every beat is heard again', () =>
      workers.every((worker, index) => worker.beats(200) > before[index]! + 3),
    );
    for (const worker of workers) {
      expect(await worker.make('complete')).toMatchObject({ status: 200 });
    }
    expect(eventsOf(events(), 'LeasesRenewed')).not.toEqual([]);
    expect(auditOf(events())).toMatchObject({ claims: 3, completedOnce: 3, lostAttempts: {} });
  });
});
