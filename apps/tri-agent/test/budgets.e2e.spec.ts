import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { logsOf, post } from './otlp-sender.js';
import { TemporaryHomes, waitUntil, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

const withDefaults = { TRI_AGENT_DEFAULT_BUDGETS: 'on' };
async function start(
  home = homes.create(),
  environment: Readonly<Record<string, string>> = withDefaults,
): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home, environment });
  running.push(server);
  return server;
}

type Json = Readonly<Record<string, unknown>>;
async function ask(
  server: ServerProcess,
  path: string,
  method = 'GET',
  wish?: object,
): Promise<{ status: number; body: Json }> {
  const token = readFileSync(join(server.home, 'token'), 'utf8').trim();
  const answer = await fetch(`${server.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(wish && { 'content-type': 'application/json' }),
    },
    ...(wish && { body: JSON.stringify(wish) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
}

let requests = 0;
/** A request that cost this much, as Claude Code reports it. */
async function spend(server: ServerProcess, costUsd: number, resource = {}): Promise<void> {
  requests += 1;
  const record = {
    ...{ 'event.name': 'api_request', 'session.id': 's', request_id: `request-${requests}` },
    ...{ model: 'claude-haiku-4-5', cost_usd: costUsd, input_tokens: 10, output_tokens: 10 },
  };
  const { status } = await post(server, logsOf('claude-code', [record], resource));
  expect(status).toBe(200);
}

async function historyOf(server: ServerProcess, id: string): Promise<Json[]> {
  const { body } = await ask(server, `budgets/${id}/history`);
  return body['items'] as Json[];
}

async function waitForStanding(server: ServerProcess, id: string, standing: string): Promise<Json> {
  let budget: Json = {};
  await waitUntil(`${id} stands at ${standing}`, async () => {
    ({ body: budget } = await ask(server, `budgets/${id}`));
    return budget['standing'] === standing;
  });
  return budget;
}

/** Whether a task can be claimed at this moment. */
async function claims(server: ServerProcess): Promise<boolean> {
  await ask(server, 'tasks', 'POST', { prompt: '-' });
  const worker = await ask(server, 'workers', 'POST', {
    host: 'here',
    shards: ['impl'],
    slots: 1,
    seats: [{ agent: 'claude-code', provider: 'anthropic', account: 'default', models: [] }],
  });
  const { workerId, token } = worker.body as { workerId: string; token: string };
  const answer = await fetch(`${server.url}/api/v1/claims`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ workerId, waitMs: 0 }),
  });
  return answer.status === 200;
}

describe('A new house', () => {
  test('begins with a dollar a minute and 75 dollars a day, and says so once', async () => {
    const server = await start();
    const { body } = await ask(server, 'budgets');
    expect(body['items']).toMatchObject([
      { budgetId: 'day', limitUsd: '75.000000000', spentUsd: '0.000000000', standing: 'open' },
      { budgetId: 'pace', limitUsd: '1.000000000', window: 'minute', origin: 'default' },
    ]);
    expect(server.printed).toContain('$1.00 a minute ("pace") and $75.00 a day ("day")');
    await server.stop();
    const again = await start(server.home);
    expect(again.printed).not.toContain('Budgets watch');
  });

  test('begins with none where that is wished', async () => {
    const server = await start(undefined, {});
    expect((await ask(server, 'budgets')).body).toEqual({ items: [], nextCursor: null });
    expect(await claims(server)).toBe(true);
  });
});

describe('What an agent reports over OTLP', () => {
  test('trips a budget, shuts claims, and stays so over a restart until it is raised and reset', async () => {
    const server = await start();
    expect(await claims(server)).toBe(true);
    await spend(server, 0.6);
    await waitForStanding(server, 'pace', 'warn');
    await spend(server, 0.5);
    const tripped = await waitForStanding(server, 'pace', 'trip');
    expect(tripped['reason']).toContain('Budget pace: $1.10 of $1.00 a minute (110 %)');
    expect(await claims(server)).toBe(false);
    await waitUntilProjected(server);
    expect((await historyOf(server, 'pace')).slice(0, 2)).toMatchObject([
      { type: 'BudgetTripped', percent: 110, spentUsd: '1.100000000', actor: 'budgets' },
      { type: 'BudgetThresholdCrossed', step: 'warn', percent: 60 },
    ]);
    await server.stop('SIGKILL');

    const second = await start(server.home);
    await waitForStanding(second, 'pace', 'trip');
    expect(await claims(second)).toBe(false);
    const why = await ask(second, 'tasks?limit=1');
    const [task] = why.body['items'] as { taskId: string }[];
    const explained = await ask(second, `tasks/${task?.taskId ?? ''}/why`);
    expect(JSON.stringify(explained.body)).toContain('it has tripped, and holds until it is reset');

    const reason = 'the release may cost that';
    const refused = await ask(second, 'budgets/pace/reset', 'POST', { reason });
    expect(refused).toMatchObject({ status: 409, body: { code: 'BUDGET_STILL_SPENT' } });
    const raised = await ask(second, 'budgets/pace/raise', 'POST', { limitUsd: '5', reason });
    expect(raised).toMatchObject({
      status: 200,
      body: { standing: 'trip', limitUsd: '5.000000000' },
    });
    const reset = await ask(second, 'budgets/pace/reset', 'POST', { reason });
    expect(reset).toMatchObject({ status: 200, body: { standing: 'open', changed: true } });
    expect(await claims(second)).toBe(true);
    await waitUntilProjected(second);
    expect((await historyOf(second, 'pace')).slice(0, 2)).toMatchObject([
      { type: 'BudgetReset', actor: 'operator:api', reason },
      { type: 'BudgetSet', limitUsd: '5.000000000', reason },
    ]);
  });

  test('counts for those alone whom a budget is about', async () => {
    const server = await start(undefined, {});
    const set = { scope: 'team:core', window: 'total', limitUsd: '1' };
    const { body } = await ask(server, 'budgets/core', 'PUT', set);
    expect(body).toMatchObject({ changed: true, warnings: [expect.stringContaining('team:core')] });
    await spend(server, 3, { team: 'web' });
    await spend(server, 0.8, { team: 'core' });
    const budget = await waitForStanding(server, 'core', 'gate');
    expect(budget).toMatchObject({
      spentUsd: '0.800000000',
      percent: 80,
      remainingUsd: '0.200000000',
    });
    const again = await ask(server, 'budgets/other', 'PUT', { ...set, limitUsd: '9' });
    expect(again.body).toMatchObject({ warnings: [], spentUsd: '0.800000000' });
  });
});
