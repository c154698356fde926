import { SECRET, TOKEN, WORKER_TOKEN, bearer, raw, serve, stop } from './guard.spec-helper.js';

afterEach(stop);

describe('The API', () => {
  beforeEach(() => serve());

  test.each(['/api/v1/claims', '/api/v1/attempts/a/beat'])(
    'opens what is for workers to a token of theirs: %s',
    async (path) => {
      const asked = async (token: string) => (await raw(path, [bearer(token)], 'POST')).body;
      expect(await asked(WORKER_TOKEN)).toBe('for w-1');
      expect(await asked(TOKEN)).toBe('for the operator');
    },
  );

  test.each([
    ['a worker where workers have no business', '/api/v1/secret', WORKER_TOKEN, 401],
    ['a token of no worker', '/api/v1/claims', 'worker.w-1.wrong', 401],
    ['one of whom nobody can tell', '/api/v1/claims', 'worker.unreadable', 500],
    ['a detour', '/api/v1/claims/../secret', WORKER_TOKEN, 401],
    ['an escaped detour', '/api/v1/claims/%2e%2e/secret', WORKER_TOKEN, 401],
  ])('stays shut to %s', async (_, path, token, expected) => {
    const { status, body } = await raw(path, [bearer(token)], 'POST');
    expect(status).toBe(expected);
    expect(body).not.toContain(SECRET);
  });
});
