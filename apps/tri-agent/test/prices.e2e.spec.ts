import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { runCli } from './cli-process.js';
import { logsOf, post } from './otlp-sender.js';
import { TemporaryHomes, waitUntil, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

async function start(home = homes.create(), roles?: string): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home, ...(roles === undefined ? {} : { roles }) });
  running.push(server);
  return server;
}

/** One request of a model, for which the client reports no cost. */
async function use(receiver: ServerProcess, model: string, session: string): Promise<void> {
  const request = {
    'event.name': 'api_request',
    'session.id': session,
    request_id: `request-${session}-${model}`,
    model,
    input_tokens: 1_000,
    output_tokens: 100,
  };
  expect((await post(receiver, logsOf('claude-code', [request]))).status).toBe(200);
}

interface Used {
  readonly costNanoUsd: number | null;
  readonly costOrigin: string;
  readonly priceVersion: string | null;
}
async function usageIn(api: ServerProcess, session: string): Promise<Used[]> {
  await waitUntilProjected(api);
  const answer = await api.get(`/api/v1/sessions/${session}/events`);
  const { items } = (await answer.json()) as { items: { type: string; data: Used }[] };
  return items.filter(({ type }) => type === 'UsageRecorded').map(({ data }) => data);
}

function price(model: string, input: string) {
  const usdPerMillionTokens = { input, output: '10', cacheRead: '0' };
  return { provider: 'anthropic', model, usdPerMillionTokens };
}
async function publish(api: ServerProcess, ...prices: unknown[]): Promise<unknown> {
  const token = readFileSync(join(api.home, 'token'), 'utf8').trim();
  const answer = await fetch(`${api.url}/api/v1/prices`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ prices }),
  });
  expect(answer.status).toBe(200);
  return answer.json();
}

async function json(api: ServerProcess, path: string): Promise<Record<string, unknown>> {
  return (await (await api.get(path)).json()) as Record<string, unknown>;
}

describe('A model that no price is known for', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await start();
    await use(server, 'claude-unheard-of', 'before');
    await waitUntilProjected(server);
  });

  test('has no cost, which is told and is never 0', async () => {
    expect(await usageIn(server, 'before')).toMatchObject([
      { costNanoUsd: null, costOrigin: 'unknown' },
    ]);
    expect(await json(server, '/api/v1/sessions/before')).toMatchObject({
      costUsd: null,
      unpricedRequests: 1,
    });
    expect(await json(server, '/api/v1/prices/missing')).toMatchObject({
      items: [{ agent: 'claude-code', model: 'claude-unheard-of', resolved: false }],
    });
    const notices = await runCli(server, [
      ...['events', 'tail', '--after', '0', '--type', 'PriceMissing', '--count', '1', '--json'],
    ]);
    expect(JSON.parse(notices.out)).toMatchObject({ data: { model: 'claude-unheard-of' } });
    const metrics = await (await server.get('/metrics')).text();
    expect(metrics).toMatch(/^tri_agent_unpriced_models 1$/m);
  });

  test('is named by the doctor and by "prices missing"', async () => {
    const [doctor, missing] = await Promise.all([
      runCli(server, ['doctor']),
      runCli(server, ['prices', 'missing']),
    ]);
    expect(doctor.out).toMatch(/warn +prices: none is known for claude-unheard-of/);
    expect(missing.out).toMatch(/claude-code +anthropic +claude-unheard-of +standard/);
  });

  test('has one once its price is published; what came before stays as it was', async () => {
    const argv = ['prices', 'set', 'claude-unheard-of', '--provider', 'anthropic'];
    const set = await runCli(server, [...argv, '--input', '2.5', '--output', '10']);
    expect(set).toMatchObject({ exit: 0, out: expect.stringContaining('published') as string });
    await use(server, 'claude-unheard-of', 'after');
    expect(await usageIn(server, 'after')).toMatchObject([
      {
        costNanoUsd: 3_500_000,
        costOrigin: 'computed',
        priceVersion: expect.stringMatching(/^operator-/) as string,
      },
    ]);
    expect(await usageIn(server, 'before')).toMatchObject([{ costNanoUsd: null }]);
    expect(await json(server, '/api/v1/prices/missing')).toMatchObject({ items: [] });
    const metrics = await (await server.get('/metrics')).text();
    expect(metrics).toMatch(/^tri_agent_unpriced_models 0$/m);
  });

  test('has one for the past, too, once prices are applied: every view agrees, history shows both', async () => {
    const apply = ['prices', 'apply', '--since', '1h', '--json'];
    const applied = { checkedRequests: 2, correctedRequests: 1, unpricedRequests: 0 };
    const dry = await runCli(server, [...apply, '--dry-run']);
    expect(JSON.parse(dry.out)).toMatchObject({ ...applied, costDifferenceUsd: '0.003500000' });
    expect(await json(server, '/api/v1/sessions/before')).toMatchObject({ costUsd: null });

    const { out } = await runCli(server, apply);
    expect(JSON.parse(out)).toMatchObject({ ...applied, costDifferenceUsd: '0.003500000' });
    await waitUntilProjected(server);
    const priced = { costUsd: '0.003500000', computedCostUsd: '0.003500000', unpricedRequests: 0 };
    expect(await json(server, '/api/v1/sessions/before')).toMatchObject(priced);
    for (const by of ['day', 'block', 'model', 'session']) {
      expect(await json(server, `/api/v1/usage?by=${by}&session=before`)).toMatchObject({
        items: [priced],
        total: priced,
      });
    }
    expect(await json(server, '/api/v1/sessions/before/events')).toMatchObject({
      items: [
        { type: 'UsageRecorded', data: { costNanoUsd: null } },
        { type: 'UsageRepriced', data: { computedNanoUsd: 3_500_000 } },
      ],
    });
    const again = await runCli(server, apply);
    expect(JSON.parse(again.out)).toMatchObject({ correctedRequests: 0 });
  });
});

describe('The price book', () => {
  test('is shipped with prices, which an operator overrides, and is the same after a restart', async () => {
    const first = await start();
    await use(first, 'claude-haiku-4-5', 'shipped');
    await publish(first, price('claude-haiku-4-5', '7'));
    await use(first, 'claude-haiku-4-5', 'overridden');
    const list = '/api/v1/prices?limit=500&all=true';
    const book = await json(first, list);
    await first.stop('SIGKILL');

    const second = await start(first.home);
    expect(await json(second, list)).toEqual(book);
    await use(second, 'claude-haiku-4-5', 'restarted');
    const costs = await Promise.all(
      ['shipped', 'overridden', 'restarted'].map((session) => usageIn(second, session)),
    );
    expect(costs.map(([used]) => used?.costNanoUsd)).toEqual([1_500_000, 8_000_000, 8_000_000]);
  });

  test('loses none of two publications at once, from one process or from two', async () => {
    const home = homes.create();
    const one = await start(home, 'api,receiver,projector');
    const two = await start(home, 'api');
    const models = Array.from({ length: 10 }, (_, index) => `racing-${index}`);
    const answers = await Promise.all(
      models.map((model, index) => publish(index % 2 === 0 ? one : two, price(model, '1'))),
    );
    for (const answer of answers) expect(answer).toMatchObject({ accepted: 1, refused: [] });
    for (const api of [one, two]) {
      await waitUntil('every publication is seen', async () => {
        const { items } = await json(api, '/api/v1/prices?model=racing');
        return (items as unknown[]).length === models.length;
      });
    }
  });

  test('of a receiver alone follows what an api process publishes', async () => {
    const home = homes.create();
    const receiver = await start(home, 'receiver');
    const api = await start(home, 'api,projector');
    await publish(api, price('claude-new', '3'));
    let count = 0;
    await waitUntil('the receiver knows the price', async () => {
      count += 1;
      await use(receiver, 'claude-new', `session-${count}`);
      const [used] = await usageIn(api, `session-${count}`);
      return used?.costNanoUsd === 4_000_000;
    });
  });
});

describe('"prices"', () => {
  test('imports a file in part, tells by line what it refused, and lists the rest', async () => {
    const server = await start();
    const file = join(server.home, 'prices.csv');
    const lines = ['provider,model,input,output', 'acme,good,0.000000001,2', 'acme,bad,-1,2'];
    writeFileSync(file, [...lines, 'acme,twice,1,2', 'acme,twice,1,2', ''].join('\n'));
    const imported = await runCli(server, ['prices', 'import', file]);
    expect(imported.exit).toBe(1);
    expect(imported.err).toMatch(/line 3: .*input must be US dollars/);
    expect(imported.err).toMatch(/line 4: .*overlaps.*\(see line 5\)/);
    expect(imported.err).toMatch(/line 5: .*overlaps.*\(see line 4\)/);
    const listed = await runCli(server, ['prices', 'list', '--provider', 'acme']);
    expect(listed.out).toMatch(/acme +good +standard +0\.000000001 +2\.00 +\? +\? +\? +operator/);
    expect(listed.out).not.toMatch(/bad|twice/);
    const again = await runCli(server, ['prices', 'import', file]);
    expect(again.out).toContain('nothing was published');
  });
});
