import { tmpdir } from 'node:os';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { createHttpApp } from '#platform/http-app.js';
import type { ProjectionLag } from '#platform/projection-lag.js';
import { registerGauges, type GaugeSources } from './gauges.js';
import { HEALTH_CHECKS } from './health.controller.js';
import { diskHasRoom, logIsWritable, projectionsKeepUp, type HealthCheck } from './health.js';
import { metrics } from './index.js';

let app: NestFastifyApplication | undefined;
afterEach(async () => {
  await app?.close();
});

async function serve(checks: HealthCheck[], sources: GaugeSources = {}): Promise<string> {
  const registry = new Registry();
  registerGauges(registry, sources);
  app = await createHttpApp({
    controllers: metrics.controllers,
    providers: [
      { provide: Registry, useValue: registry },
      { provide: HEALTH_CHECKS, useValue: checks },
    ],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

const lag = (milliseconds: number): ProjectionLag => ({
  projection: 'sessions',
  positions: 3n,
  milliseconds,
});
const behind = (milliseconds: number) =>
  projectionsKeepUp(() => Promise.resolve([lag(milliseconds)]));

async function ready(...checks: HealthCheck[]) {
  const response = await fetch(`${await serve(checks)}/health/ready`);
  return { status: response.status, body: await response.json() };
}

describe('GET /health', () => {
  test('live answers whatever else is wrong', async () => {
    const url = await serve([behind(60_000)]);
    const response = await fetch(`${url}/health/live`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  test('ready says what was looked at', async () => {
    const checks = [logIsWritable(() => undefined), behind(10), diskHasRoom(tmpdir())];
    const { status, body } = await ready(...checks);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ok',
      checks: [
        { name: 'log writable', ok: true },
        { name: 'projections up to date', ok: true },
        { name: 'disk free', ok: true },
      ],
    });
  });

  test.each([
    [
      'the log refuses',
      logIsWritable(() => {
        throw new Error('disk full');
      }),
      'disk full',
    ],
    ['a read model is behind', behind(60_000), '60 s behind'],
    ['no read model was built', projectionsKeepUp(() => Promise.resolve([])), 'No read model'],
    ['the folder is gone', diskHasRoom('/does/not/exist'), 'ENOENT'],
  ])('ready is 503 when %s', async (_, check, detail) => {
    const { status, body } = await ready(check);
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'unavailable',
      checks: [{ ok: false, detail: expect.stringContaining(detail) as unknown }],
    });
  });

  test('ready does not wait for a check that never answers', async () => {
    const stuck = { name: 'stuck', check: () => new Promise<string>(() => undefined) };
    expect(await ready(stuck)).toMatchObject({
      status: 503,
      body: { checks: [{ name: 'stuck' }] },
    });
  });
});

describe('GET /metrics', () => {
  test('gives the figures of the moment, and those of the process', async () => {
    let waiting = 1;
    const url = await serve([], {
      logHead: () => Promise.resolve(42n),
      logWalBytes: () => 4_096,
      appendsWaiting: () => waiting,
      projectionLags: () => Promise.resolve([lag(1_500)]),
    });
    const scrape = async () => (await fetch(`${url}/metrics`)).text();
    const text = await scrape();
    expect(text).toContain('\ntri_agent_log_head_position 42\n');
    expect(text).toContain('\ntri_agent_log_wal_bytes 4096\n');
    expect(text).toContain('\ntri_agent_log_appends_waiting 1\n');
    expect(text).toContain('\ntri_agent_projection_lag_events{projection="sessions"} 3\n');
    expect(text).toContain('\nnodejs_eventloop_lag_seconds ');
    expect(text).toContain('\ntri_agent_projection_lag_seconds{projection="sessions"} 1.5\n');
    waiting = 2;
    expect(await scrape()).toContain('\ntri_agent_log_appends_waiting 2\n');
  });

  test('still answers when one figure cannot be had', async () => {
    const gone = () => Promise.reject(new Error('the disk is gone'));
    const url = await serve([], { logHead: gone, logWalBytes: () => 1, projectionLags: gone });
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch(/^tri_agent_log_head_position nan$/im);
    expect(text).toContain('\ntri_agent_log_wal_bytes 1\n');
  });

  test('leaves out what the role has not', async () => {
    const text = await (await fetch(`${await serve([])}/metrics`)).text();
    expect(text).not.toContain('tri_agent_');
  });
});
