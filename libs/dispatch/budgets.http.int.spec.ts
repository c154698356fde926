import { movedShape } from './attempts.shapes.js';
import { DispatchServer, type Answer } from './dispatch-api.contract.js';

/** 95 % of the budget is spent before anybody claims. */
const limitUsd = 10;
const spentUsd = 9.5;
const nanoUsd = (usd: number) => Math.round(usd * 1e9);
const claims = 50;

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(() => server.stop());

/** What the budget says, and `claims` tasks that fall under it. */
async function given(scope: string, budgetUsd: string | undefined, spent = spentUsd) {
  setSpent(scope, spent);
  const reserve = budgetUsd === undefined ? {} : { budgetUsd };
  const task = { prompt: '-', team: 'core', ...reserve };
  await server.post('tasks/batch', { tasks: Array.from({ length: 2 * claims }, () => task) });
  const workers = Array.from({ length: claims }, () => server.register());
  return Promise.all(workers);
}

function setSpent(scope: string, spent: number): void {
  const limitNanoUsd = nanoUsd(limitUsd);
  server.budgets = [{ scope, limitNanoUsd, spentNanoUsd: nanoUsd(spent), shut: null }];
}

async function claimAtOnce(workers: readonly { workerId: string; token: string }[], waitMs = 0) {
  const answers = await Promise.all(
    workers.map(({ workerId, token }) => server.post('claims', { workerId, waitMs }, token)),
  );
  return answers.filter(({ status }) => status === 200);
}

/** The most that was spent and reserved at any moment, as the log tells it. */
async function mostTakenUsd(spent = spentUsd): Promise<number> {
  const reserved = new Map<string, number>();
  let most = 0;
  for (const { type, data } of await server.events()) {
    if (type === 'TaskClaimed') reserved.set(data.attemptId, data.reservedNanoUsd);
    most = Math.max(
      most,
      [...reserved.values()].reduce((sum, it) => sum + it, nanoUsd(spent)),
    );
  }
  return most / 1e9;
}

describe('Fifty claims at once, against a budget of which 95 % are spent,', () => {
  test.each([
    ['0.10', 5],
    ['0.17', 2],
    ['0.50', 1],
    ['0.000000001', claims],
    ['0.500000001', 0],
    [undefined, claims],
  ])('with %s dollars reserved each, are let in %d times', async (budgetUsd, expected) => {
    const workers = await given('team:core', budgetUsd);
    expect(await claimAtOnce(workers)).toHaveLength(expected);
    expect(await mostTakenUsd()).toBeLessThanOrEqual(limitUsd);
  });

  test.each(['all', 'lane:normal', 'shard:impl', 'agent:claude-code', 'account:default'])(
    'never exceed it where it is of %s',
    async (scope) => {
      const workers = await given(scope, '0.10');
      expect(await claimAtOnce(workers)).toHaveLength(5);
    },
  );

  test('are let in by none of two budgets alone', async () => {
    const workers = await given('team:core', '0.10');
    const narrow = {
      scope: 'all',
      limitNanoUsd: nanoUsd(1),
      spentNanoUsd: nanoUsd(0.75),
      shut: null,
    };
    server.budgets = [...server.budgets, narrow];
    expect(await claimAtOnce(workers)).toHaveLength(2);
  });

  test('are not let in when it is used up, also where nothing is reserved', async () => {
    const workers = await given('team:core', undefined, limitUsd);
    expect(await claimAtOnce(workers)).toEqual([]);
  });

  test('never exceed it while they wait, and others begin and end', async () => {
    const workers = await given('team:core', '0.10');
    const running = await claimAtOnce(workers);
    const waiting = claimAtOnce(workers.slice(5), 300);
    const ended = await Promise.all(running.map(completeAndClaimNext));
    // What they spent is told by telemetry that comes in later: until then it stays reserved.
    expect(ended.map(({ next }) => next)).toEqual([null, null, null, null, null]);
    expect(await waiting).toEqual([]);
    expect(await mostTakenUsd()).toBeLessThanOrEqual(limitUsd);
  });
});

async function completeAndClaimNext({ body }: Answer) {
  const { attemptId, fencingToken } = body;
  await server.post(`attempts/${String(attemptId)}/start`, { fencingToken });
  const path = `attempts/${String(attemptId)}/complete`;
  const answer = await server.post(path, { fencingToken, claimNext: true });
  return movedShape.parse(answer.body);
}
