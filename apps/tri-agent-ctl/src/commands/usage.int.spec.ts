import { aSession } from '../../test/samples.js';
import { StubServer } from '../../test/stub-server.js';
import { run } from '../../test/terminal.js';

let server: StubServer;
let env: Record<string, string>;
beforeEach(async () => {
  server = await StubServer.start();
  env = server.env('/nowhere');
});
afterEach(() => server.stop());

const tokens = { input: 12_345, output: 1, cacheRead: 2, cacheCreation: 3, reasoning: null };
const sums = { requests: 3, tokens, costUsd: '0.030000000', unpricedRequests: 0 };
const row = (key: string, more: object = {}): Record<string, unknown> => ({
  key,
  ...sums,
  ...more,
});
const hour = row('2026-11-20T09:00:00.000Z', {
  ...{ label: '2026-11-20 09:00', endsAt: '2026-11-20T10:00:00.000Z' },
});

/** The parameters of the last request. */
function asked(): Record<string, string> {
  const [path = '', query = ''] = server.requests.at(-1)?.split('?') ?? [];
  expect(path).toMatch(/^GET \/api\/v1\/usage(\/models)?$/);
  return Object.fromEntries(new URLSearchParams(query));
}

describe('usage', () => {
  test('is cut as asked, over the time asked for, in the time zone asked for', async () => {
    server.usageItems = [{ ...hour, costUsd: null, unpricedRequests: 3 }];
    const time = ['--since', 'today', '--until', '2026-11-20T10:00'];
    const { exit, out } = await run(env, ['usage', 'hourly', ...time, '--timezone', 'Asia/Tokyo']);
    expect(exit).toBe(0);
    expect(asked()).toEqual({
      by: 'hour',
      timezone: 'Asia/Tokyo',
      since: '2026-11-19T15:00:00.000Z',
      until: '2026-11-20T01:00:00.000Z',
    });
    expect(out).toContain(
      'Usage by hour since 2026-11-20 00:00 until 2026-11-20 10:00 (time zone Asia/Tokyo)\n',
    );
    expect(out).toMatch(/2026-11-20 09:00 +3 +12\.3k +1 +2 +3 +\?/);
    expect(out).toMatch(/total +4 .*\$0\.0373/);
  });

  test.each([
    [[], 'day', '2026-10-22T00:00:00.000Z'],
    [['daily'], 'day', '2026-10-22T00:00:00.000Z'],
    [['weekly'], 'week', '2026-08-31T00:00:00.000Z'],
    [['monthly'], 'month', '2025-12-01T00:00:00.000Z'],
    [['hourly'], 'hour', '2026-11-19T13:00:00.000Z'],
    [['blocks'], 'block', '2026-11-18T00:00:00.000Z'],
    [['--by', 'minute'], 'minute', '2026-11-20T11:00:00.000Z'],
    [['sessions'], 'session', '2026-10-22T00:00:00.000Z'],
    [['model'], 'model', '2026-10-22T00:00:00.000Z'],
    [['teams', '--until', '2026-01-31'], 'team', '2026-01-02T00:00:00.000Z'],
  ])('%j looks back over whole units of the calendar', async (words, by, since) => {
    await run(env, ['usage', ...words]);
    expect(asked()).toMatchObject({ by, since, timezone: 'UTC' });
  });

  test('takes the time zone of the machine when nobody says', async () => {
    await run(env, ['usage'], { timeZone: 'Europe/Berlin' });
    expect(asked()).toMatchObject({
      timezone: 'Europe/Berlin',
      since: '2026-10-21T22:00:00.000Z',
    });
  });

  test('asks only for what is filtered, a session by the beginning of its id', async () => {
    server.sessions = [aSession()];
    const names = ['agent', 'provider', 'model', 'project', 'team', 'user', 'task'];
    const filters = names.flatMap((name) => [`--${name}`, `a-${name}`]);
    await run(env, ['usage', ...filters, '--session', '0f9d', '--breakdown', 'model']);
    expect(asked()).toMatchObject({
      ...Object.fromEntries(names.map((name) => [name, `a-${name}`])),
      session: aSession().sessionId,
      breakdown: 'model',
    });
  });

  test('shows parts below their group, names nobody told, and how long a block still lasts', async () => {
    const block = { label: '2026-11-20 09:00', endsAt: '2026-11-20T14:30:00.000Z' };
    server.usageItems = [row('2026-11-20T09:00:00.000Z', { ...block, parts: [row(''), row('b')] })];
    const { out } = await run(env, ['usage', 'blocks', '--breakdown', 'project']);
    const lines = out.split('\n').map((line) => line.split(/ {2,}/)[0]);
    expect(lines.slice(2, 6)).toEqual([
      '2026-11-20 09:00 (2h 30m left)',
      '└ (not told)',
      '└ b',
      'total',
    ]);
  });

  test('marks what is computed and what has no price, and says it below', async () => {
    const check = { requests: 2, reportedUsd: '0.020000000', computedUsd: '0.019000000' };
    server.usageItems = [row('a', { computedCostUsd: '0.010000000', unpricedRequests: 1 })];
    server.usageTotal = {
      ...{ ...sums, computedCostUsd: '0.010000000', unpricedRequests: 1 },
      priceCheck: { ...check, differenceUsd: '0.001000000' },
    };
    const told = await run(env, ['usage', 'model']);
    expect(told.out).toMatch(/a +3 .*\$0\.0300\*\+\?\n/);
    expect(told.out).toContain(
      '* : of which $0.0100 computed from the price book; the agents reported the rest.\n' +
        '+? : 1 requests have no known price and are not in the cost.\n' +
        'Price check: of 2 requests the agents report $0.0200 and the price book computes $0.0190, ' +
        'a difference of $0.0010.\n',
    );
  });

  test('says nothing below the table where every cost is reported and agrees', async () => {
    server.usageItems = [hour];
    const { out } = await run(env, ['usage', 'hourly']);
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^total /);
  });

  test('where there is none says what to do', async () => {
    const { exit, out } = await run(env, ['usage']);
    expect(exit).toBe(0);
    expect(out).toMatch(/^No usage since 2026-10-22 00:00 .*import.*connect.*\n$/);
    expect((await run(env, ['usage', '--team', 'x'])).out).toMatch(/^No usage of that since/);
  });

  test('reads all pages, as one answer', async () => {
    server.usageItems = Array.from({ length: 7 }, (_, index) => row(`model-${index}`));
    server.usagePageItems = 3;
    const { out } = await run(env, ['usage', 'model', '--json']);
    expect(JSON.parse(out)).toEqual({
      ...{ items: server.usageItems, nextCursor: null, total: server.usageTotal },
    });
    expect(server.requests).toHaveLength(3);
  });

  test('reads anew when usage came in between two pages, and owns up when it never ends', async () => {
    server.usageItems = Array.from({ length: 4 }, (_, index) => row(`model-${index}`));
    server.usagePageItems = 3;
    const growing = (times: number) => {
      let pages = 0;
      return async (url: string | URL | Request, init?: RequestInit) => {
        server.usageTotal = { ...sums, requests: Math.min((pages += 1), times) };
        return fetch(url, init);
      };
    };
    const once = await run(env, ['usage', 'model'], { fetch: growing(2) });
    expect([once.err, server.requests.length]).toEqual(['', 4]);
    const always = await run(env, ['usage', 'model'], { fetch: growing(Infinity) });
    expect(always.err).toContain('newer than some rows');
  });
});

describe('usage models', () => {
  test('compares cost, speed and errors', async () => {
    const compared = { costPerRequestUsd: '0.010000000', costPer1kOutputTokensUsd: '0.020000000' };
    server.comparedModels = [
      {
        ...{ model: 'a', provider: 'p', ...sums, ...compared, failedRequests: 1, errorRate: 0.25 },
        latencyMs: { p50: 850, p95: 12_340 },
      },
      {
        ...{ model: 'b', provider: 'p', ...sums, costUsd: null, unpricedRequests: 3 },
        ...{ costPerRequestUsd: null, costPer1kOutputTokensUsd: null },
        ...{ latencyMs: null, failedRequests: 0, errorRate: null },
      },
    ];
    const { exit, out } = await run(env, ['usage', 'models', '--since', '2026-11-01']);
    expect(exit).toBe(0);
    expect(asked()).toEqual({ since: '2026-11-01T00:00:00.000Z' });
    expect(out).toMatch(/a +p +3 +1 +\$0\.0300 +\$0\.0100 +\$0\.0200 +850 ms +12\.3 s +25\.0%/);
    expect(out).toMatch(/b +p +3 +1 +\? +– +– +– +– +–/);
    expect(out).toContain('+? : 3 requests');
    const csv = await run(env, ['usage', 'models', '--csv']);
    expect(csv.out.split('\r\n')[1]).toBe(
      'a,p,3,12345,1,2,3,,0.030000000,,0,0.010000000,0.020000000,850,12340,1,0.25',
    );
  });
});

describe('usage --csv', () => {
  test('is not JSON', async () => {
    const { exit, out, err } = await run(env, ['usage', '--csv', '--json']);
    expect([exit, out]).toEqual([2, '']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'usage' } });
  });

  test('has a head, a row a group, and money with all its digits', async () => {
    server.usageItems = [hour, { ...hour, costUsd: null, unpricedRequests: 3 }];
    const { exit, out, err } = await run(env, ['usage', 'hourly', '--csv']);
    const times = '2026-11-20 09:00,2026-11-20T09:00:00.000Z,2026-11-20T10:00:00.000Z';
    expect([exit, err]).toEqual([0, '']);
    expect(out.split('\r\n')).toEqual([
      'hour,startsAt,endsAt,requests,inputTokens,outputTokens,cacheReadTokens,' +
        'cacheCreationTokens,reasoningTokens,costUsd,computedCostUsd,unpricedRequests',
      `${times},3,12345,1,2,3,,0.030000000,,0`,
      `${times},3,12345,1,2,3,,,,3`,
      '',
    ]);
  });

  test('has a row a part where there is a breakdown, which come to the same', async () => {
    server.usageItems = [row('s', { agent: 'codex', parts: [row('a'), row('b')] })];
    const { out } = await run(env, ['usage', 'sessions', '--breakdown', 'model', '--csv']);
    const cells = out.split('\r\n').map((line) => line.split(',').slice(0, 4));
    expect(cells.slice(0, 3)).toEqual([
      ['session', 'agent', 'model', 'requests'],
      ['s', 'codex', 'a', '3'],
      ['s', 'codex', 'b', '3'],
    ]);
  });

  test('is inert in a spreadsheet and in a terminal, whatever an agent calls its project', async () => {
    const hostile = ['=cmd|calc', '\u001b]0;owned\u0007@x', 'a\r\n=1+1', '"b",c', '\u202e-1'];
    server.usageItems = hostile.map((key) => row(key));
    const { out } = await run(env, ['usage', 'projects', '--csv']);
    expect(
      out
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.split(',3,12345')[0]),
    ).toEqual([`"'=cmd|calc"`, `"'@x"`, `"a =1+1"`, `"""b"",c"`, '-1']);
  });
});
