import { ServerProcess } from '#platform/server-process.js';
import type { WatchAnswer } from '#libs/watch/watch.shapes.js';
import { runCli } from './cli-process.js';
import { logsOf, post, type Attributes } from './otlp-sender.js';
import { TemporaryHomes, waitUntil } from './support.js';

/** An agent whose telemetry ends while a model works for it, seen from outside. */

const homes = new TemporaryHomes();
let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ home: homes.create() });
});
afterAll(async () => {
  await server.stop();
  homes.removeAll();
});

async function tell(session: string, ...records: readonly Attributes[]): Promise<void> {
  const ofSession = records.map((it) => ({ ...it, 'session.id': session, 'team.id': 'core' }));
  expect((await post(server, logsOf('claude-code', ofSession))).status).toBe(200);
}

const prompt = (id: string) => ({ 'event.name': 'user_prompt', 'message.uuid': id });
const answer = (id: string) => ({
  ...{ 'event.name': 'api_request', request_id: id, model: 'claude-x', query_source: 'sdk' },
  ...{ input_tokens: 1_000, output_tokens: 100, cost_usd: 0.004, duration_ms: 2_000 },
});
const refusal = (attempt: number) => ({
  ...{ 'event.name': 'api_error', model: 'claude-x', query_source: 'sdk', request_id: 'refused' },
  ...{ error: 'Overloaded', status_code: 529, attempt, duration_ms: 10 },
});

async function watch(): Promise<WatchAnswer> {
  return (await (await server.get('/api/v1/watch')).json()) as WatchAnswer;
}

interface Noticed {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: { readonly recordedAt: string };
}

/** The first of these events in the log; waits for it. */
async function first(type: string): Promise<Noticed> {
  const argv = ['events', 'tail', '--after', '0', '--type', type, '--count', '1', '--json'];
  return JSON.parse((await runCli(server, argv)).out) as Noticed;
}

describe('An agent that stops exporting while its request is open', () => {
  test('is silent within 20 s, counts as spending, also after a crash, and no more once it is heard', async () => {
    await tell('s-1', prompt('m-1'), answer('r-1'));
    await tell('s-1', prompt('m-2'));
    expect((await watch()).silent).toEqual([]);

    const { data, metadata } = await first('SessionWentSilent');
    const pace = { estimatedNanoUsdPerMinute: 120_000_000 };
    expect(data).toMatchObject({ agent: 'claude-code', sessionId: 's-1', taskId: null, ...pace });
    expect(data['silentMs']).toBeGreaterThanOrEqual(15_000);
    expect(Date.parse(metadata.recordedAt) - Date.parse(String(data['since']))).toBeLessThan(
      20_000,
    );

    const [silent] = (await watch()).silent;
    expect(silent).toMatchObject({ sessionId: 's-1', usdPerMinute: '0.120000000' });
    expect(Number(silent?.estimatedUsd)).toBeGreaterThanOrEqual(0.03);
    const said = await runCli(server, ['watch']);
    expect(said).toMatchObject({ exit: 0, out: expect.stringContaining('s-1') as string });
    const metrics = await (await server.get('/metrics')).text();
    expect(metrics).toMatch(/^tri_agent_sessions_silent 1$/m);
    expect(metrics).toMatch(/^tri_agent_estimated_nano_usd [1-9]\d{7,}$/m);

    await server.stop('SIGKILL');
    server = await ServerProcess.start({ home: server.home });
    await waitUntil('it is silent still', async () => (await watch()).silentSessions === 1);
    expect((await watch()).silent).toMatchObject([
      { ...{ sessionId: 's-1', since: data['since'] } },
    ]);

    await tell('s-1', answer('r-2'));
    expect(await first('SessionHeardAgain')).toMatchObject({ data: { sessionId: 's-1' } });
    expect(await watch()).toMatchObject({ silentSessions: 0, estimatedUsd: '0.000000000' });
  });

  test('is told of as a loop when its client gives up after eleven attempts', async () => {
    await tell('s-2', prompt('m-3'), refusal(11));
    expect(await first('LoopDetected')).toMatchObject({
      data: { sessionId: 's-2', what: 'request', name: 'claude-x', times: 11, error: 'Overloaded' },
    });
    expect((await watch()).loops).toMatchObject([{ sessionId: 's-2', times: 11 }]);
    const metrics = await (await server.get('/metrics')).text();
    expect(metrics).toMatch(/^tri_agent_loops_total 1$/m);
  });
});
