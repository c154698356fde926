import { limits } from '#kernel/limits.js';
import { needOnApiPort, needOnOtlpPort } from './guard.js';
import { TOKEN, SECRET, app, basic, bearer, port, raw, serve, stop } from './guard.spec-helper.js';

afterEach(stop);

describe('The API', () => {
  beforeEach(() => serve());

  test('opens to the right token', async () => {
    const { status, body } = await raw('/api/v1/secret', [bearer(TOKEN)]);
    expect([status, body]).toEqual([200, SECRET]);
  });

  test.each([
    ['no token', [], 'TOKEN_MISSING'],
    ['a wrong token', [bearer('wrong')], 'TOKEN_WRONG'],
    ['a token that is a beginning of the right one', [bearer(TOKEN.slice(0, -1))], 'TOKEN_WRONG'],
    ['an empty token', ['Authorization: Bearer '], 'TOKEN_MISSING'],
    ['the token under another scheme', [`Authorization: Token ${TOKEN}`], 'TOKEN_MISSING'],
    ['the token as a password', [basic('me', TOKEN)], 'TOKEN_MISSING'],
    ['the token in another header', [`X-Token: ${TOKEN}`], 'TOKEN_MISSING'],
  ])('stays shut to %s', async (_, headers, code) => {
    const { status, head, body } = await raw('/api/v1/secret', headers);
    expect(status).toBe(401);
    expect(head).toMatch(/www-authenticate: Bearer realm="tri-agent"/i);
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(JSON.parse(body)).toMatchObject({ code, status: 401 });
  });

  test.each([
    '//api/v1/secret',
    '/api//v1/secret',
    '/API/v1/secret',
    '/Api/V1/Secret',
    '/%61pi/v1/secret',
    '/%2561pi/v1/secret',
    '/ap%69/v1/secret',
    '/%2fapi/v1/secret',
    '/api%2fv1%2fsecret',
    '/./api/v1/secret',
    '/%2e/api/v1/secret',
    '/health/../api/v1/secret',
    '/health/live/../../api/v1/secret',
    '/health/%2e%2e/api/v1/secret',
    '/health/..%2fapi/v1/secret',
    '/..;/api/v1/secret',
    '/api;x=1/v1/secret',
    '\\api\\v1\\secret',
    '/\\api/v1/secret',
    '/api/v1/secret/',
    '/api/v1/secret?x=/health/live',
    '/api/v1/secret#/health/live',
    '/api/v1/secret%00',
    '/api/docs/../v1/secret',
    '/api/docs/%2e%2e/v1/secret',
    'http://127.0.0.1/api/v1/secret',
    '/api',
    '/api/nothing-here',
  ])('has no way round: %s', async (target) => {
    const { status, body } = await raw(target);
    expect(body).not.toContain(SECRET);
    expect([400, 401]).toContain(status);
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    'asks %s for the token too',
    async (method) => {
      expect((await raw('/api/v1/secret', [], method)).status).toBe(401);
    },
  );

  test('takes the token as a password for its documents, so that a browser can open them', async () => {
    for (const path of ['/api/docs', '/api/docs/start.js', '/api/docs-json']) {
      expect((await raw(path, [basic('', TOKEN)])).status).toBe(200);
      expect((await raw(path, [bearer(TOKEN)])).status).toBe(200);
      const refused = await raw(path, [basic('', 'wrong')]);
      expect(refused.status).toBe(401);
      expect(refused.head).toMatch(/www-authenticate: Basic/i);
    }
    expect((await raw('/api/docs/../v1/secret', [basic('', TOKEN)])).body).not.toContain(SECRET);
  });

  test('answers 429 after ten wrong tokens within a minute, and still opens to the right one', async () => {
    for (let turn = 0; turn < limits.badTokensPerMinuteMax; turn += 1) {
      expect((await raw('/api/v1/secret', [bearer('wrong')])).status).toBe(401);
    }
    const { status, head, body } = await raw('/api/v1/secret', [bearer('wrong')]);
    expect(status).toBe(429);
    expect(head).toMatch(/retry-after: 60/i);
    expect(JSON.parse(body)).toMatchObject({ code: 'TOO_MANY_WRONG_TOKENS' });
    expect((await raw('/api/v1/secret', [bearer(TOKEN)])).status).toBe(200);
  });
});

describe('Health, metrics and the dashboard', () => {
  test('need no token on loopback', async () => {
    await serve();
    for (const path of ['/health/live', '/metrics', '/']) {
      expect([path, (await raw(path)).status]).toEqual([path, 200]);
    }
  });

  test('need one for metrics elsewhere', async () => {
    await serve(needOnApiPort(false));
    expect((await raw('/metrics')).status).toBe(401);
    expect((await raw('/%6detrics')).status).toBe(401);
    expect((await raw('/metrics', [bearer(TOKEN)])).status).toBe(200);
    expect((await raw('/health/live')).status).toBe(200);
  });
});

describe('The port for telemetry', () => {
  test('needs no token on loopback and one elsewhere', async () => {
    await serve(needOnOtlpPort(true));
    expect((await raw('/health/live')).status).toBe(200);
    await app.close();
    await serve(needOnOtlpPort(false));
    expect((await raw('/health/live')).status).toBe(401);
    expect((await raw('/health/live', [bearer(TOKEN)])).status).toBe(200);
  });
});

describe('A request', () => {
  beforeEach(() => serve());

  test.each([
    'evil.example',
    '127.0.0.1.evil.example',
    '127.evil.example',
    'localhost.evil.example',
    'localhost.',
    'evil.example@127.0.0.1',
    '127.0.0.1@evil.example',
    '127.0.0.1:80:80',
    '127.0.0.1, evil.example',
    '127.1',
    '0.0.0.0',
    '[::]',
    '[::ffff:127.0.0.1]',
    '10.0.0.1',
    '',
    'tower.example.evil.example',
  ])('is refused under the host %j, whatever it asks for', async (host) => {
    for (const path of ['/health/live', '/metrics', '/api/v1/secret']) {
      const { status, body } = await raw(path, [`Host: ${host}`, bearer(TOKEN)]);
      expect([400, 403]).toContain(status);
      expect(body).not.toContain(SECRET);
      if (status === 403) expect(JSON.parse(body)).toMatchObject({ code: 'HOST_NOT_ALLOWED' });
    }
  });

  test.each([
    'localhost',
    'LOCALHOST:8080',
    '127.0.0.1',
    '127.0.0.2:9',
    '[::1]:8080',
    'tower.example',
  ])('is let in under the host %s', async (host) => {
    expect((await raw('/health/live', [`Host: ${host}`])).status).toBe(200);
  });

  test.each([
    'https://evil.example',
    'null',
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://board.example',
    'https://board.example.evil.example',
    'file://',
    '',
  ])('is refused from a page of %j', async (origin) => {
    const headers = [`Host: 127.0.0.1:${port}`, `Origin: ${origin}`, bearer(TOKEN)];
    for (const method of ['GET', 'POST']) {
      const { status, body } = await raw('/api/v1/secret', headers, method);
      expect(status).toBe(403);
      expect(JSON.parse(body)).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' });
    }
  });

  test('is let in from its own page and from one that is allowed, which may read the answer', async () => {
    const own = await raw('/api/v1/secret', [bearer(TOKEN), `Origin: http://127.0.0.1:${port}`]);
    expect(own.status).toBe(200);
    expect(own.head).not.toMatch(/access-control/i);
    const allowed = await raw('/api/v1/secret', [bearer(TOKEN), 'Origin: https://board.example']);
    expect(allowed.status).toBe(200);
    expect(allowed.head).toMatch(/access-control-allow-origin: https:\/\/board.example/i);
  });

  test('of an allowed page may ask beforehand which headers it may send', async () => {
    const { status, head } = await raw(
      '/api/v1/secret',
      ['Origin: https://board.example'],
      'OPTIONS',
    );
    expect(status).toBe(204);
    expect(head).toMatch(/access-control-allow-headers: authorization/i);
  });
});
