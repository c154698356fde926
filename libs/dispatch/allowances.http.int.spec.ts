import { DispatchServer } from './dispatch-api.contract.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(async () => {
  await server.stop();
});

const told = { remainingUsd: '0.250000000', usdPerMinute: null };

describe('A worker, so that it can hold its agents to it while it hears of no server,', () => {
  test('is told with the claim and with each beat what is left, and with the claim the prices', async () => {
    const worker = await server.register();
    const taskId = await server.submit({ team: 'core' });
    const published = { priceVersion: 'v', order: 1, origin: 'operator', prices: [] } as const;
    server.allowances.prices = [published];
    server.allowances.allowance = { remainingNanoUsd: 250_000_000, nanoUsdPerMinute: null };
    const claim = await server.post('claims', { workerId: worker.workerId }, worker.token);
    expect(claim.body).toMatchObject({ allowance: told, prices: [published] });
    expect(server.allowances.scopes).toEqual(
      expect.arrayContaining(['all', 'team:core', 'agent:claude-code', `task:${taskId}`]),
    );
    const { attemptId, fencingToken } = claim.body;
    const move = (name: string, body: object = {}) =>
      server.post(`attempts/${String(attemptId)}/${name}`, { fencingToken, ...body }, worker.token);
    await move('progress', { sessionId: 's' });
    expect((await move('beat')).body).toMatchObject({ allowance: told });
    expect(server.allowances.scopes).toContain('session:s');
    server.allowances.allowance = undefined;
    expect((await move('beat')).body).toMatchObject({ allowance: null });
    expect((await move('complete')).body).toMatchObject({ allowance: null });
  });

  test('tells that it ended an agent by itself, and its task says so', async () => {
    const worker = await server.register({ host: 'box' });
    const taskId = await server.submit();
    const { body } = await server.post('claims', { workerId: worker.workerId }, worker.token);
    const { attemptId, fencingToken } = body;
    const seen = { fencingToken, sessionId: 's', ended: 1, survivors: [] };
    const halted = (more: object) =>
      server.post(`attempts/${String(attemptId)}/halted`, { ...seen, ...more }, worker.token);
    expect((await halted({})).body).toMatchObject({ code: 'ILLEGAL_MOVE' });
    expect((await halted({ cutOff: { reason: 'silence' } })).status).toBe(400);
    const answer = await halted({ cutOff: { reason: 'silence', goesOn: false } });
    expect(answer.status).toBe(200);
    const why = (await server.get(`tasks/${taskId}/why`)).body;
    expect(why['now']).toEqual([
      `It is paused by worker:${worker.workerId}: silence.`,
      'Resume it to have it carry on its conversation on host box; retry it to have it begin anew anywhere.',
    ]);
  });
});
