import {
  HOOKS_TOKEN,
  SECRET,
  TOKEN,
  WORKER_TOKEN,
  bearer,
  raw,
  serve,
  stop,
} from './guard.spec-helper.js';

afterEach(stop);

describe('The API', () => {
  beforeEach(() => serve());

  test.each([
    ['the token of hooks', HOOKS_TOKEN],
    ["the operator's token", TOKEN],
  ])('opens what is for hooks to %s', async (_, token) => {
    const { status, body } = await raw('/api/v1/hooks/claude-code', [bearer(token)], 'POST');
    expect([status, body]).toEqual([201, 'for hooks']);
  });

  test.each([
    ['no token', [], 'TOKEN_MISSING'],
    ['a wrong token', [bearer('wrong')], 'TOKEN_WRONG'],
    ['the beginning of the right one', [bearer(HOOKS_TOKEN.slice(0, -1))], 'TOKEN_WRONG'],
    ['the token of a worker', [bearer(WORKER_TOKEN)], 'TOKEN_WRONG'],
  ])('keeps what is for hooks shut to %s', async (_, headers, code) => {
    const { status, body } = await raw('/api/v1/hooks/claude-code', headers, 'POST');
    expect(status).toBe(401);
    expect(JSON.parse(body)).toMatchObject({ code });
  });

  test.each([
    ['GET', '/api/v1/secret'],
    ['POST', '/api/v1/secret'],
    ['GET', '/api/docs'],
    ['POST', '/api/v1/claims'],
    ['POST', '/api/v1/attempts/a/beat'],
    ['POST', '/api/v1/hooks/../secret'],
    ['POST', '/api/v1/hooks/%2e%2e/secret'],
    ['POST', '/api/v1/hooks%2f..%2fsecret'],
    ['POST', '/api/v1/hooksy'],
    ['POST', '/api/v1/hooks;/../secret'],
  ])('opens nothing else to the token of hooks: %s %s', async (method, path) => {
    const { status, body } = await raw(path, [bearer(HOOKS_TOKEN)], method);
    expect([400, 401]).toContain(status);
    expect(body).not.toContain(SECRET);
  });
});

test('Another port than that of the API asks for the token alone', async () => {
  await serve(() => 'token');
  const { status } = await raw('/api/v1/hooks/claude-code', [bearer(HOOKS_TOKEN)], 'POST');
  expect(status).toBe(401);
});
