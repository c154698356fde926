import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anEvent, aSession } from '../test/samples.js';
import { stubbed } from '../test/stubbed.spec-helper.js';
import { run } from '../test/terminal.js';

const otherId = '0f9d1c2e-9999-4222-8333-444455556666';

const stub = stubbed(({ server }) => {
  server.sessions = [aSession()];
});

describe('status', () => {
  test('shows how the server is', async () => {
    const { exit, out } = await run(stub.env, ['status']);
    expect(exit).toBe(0);
    expect(out).toContain('tri-agent 0.1.0, Node 24.21.0, SQLite 3.54.1');
    expect(out).toContain('2h 5m');
    expect(out).toContain('$4.1235, 1.23M tokens');
    expect(out).toMatch(/sessions +1234 +3 ms/);
  });
});

describe('sessions', () => {
  test('alone lists them, with what they cost', async () => {
    const { exit, out } = await run(stub.env, ['sessions']);
    expect(exit).toBe(0);
    expect(out).toMatch(/claude-code +0f9d1c2e +claude-sonnet-4-5 +active +████░░░░░░ +42%/);
    expect(out).toMatch(/62\.5k +\$0\.0373 +5s/);
  });

  test('list asks for an agent and a state', async () => {
    await run(stub.env, [
      'sessions',
      'list',
      '--agent',
      'codex',
      '--state',
      'idle',
      '--limit',
      '7',
    ]);
    expect(stub.server.requests).toContain('GET /api/v1/sessions?agent=codex&state=idle&limit=7');
  });

  test('list goes through the pages up to the limit, and says that there are more', async () => {
    stub.server.sessions = Array.from({ length: 1_201 }, (_, index) =>
      aSession({ sessionId: `session-${index}` }),
    );
    const all = await run(stub.env, ['sessions', '--limit', '1200', '--json']);
    const page = JSON.parse(all.out) as { items: unknown[]; nextCursor: string };
    expect(page.items).toHaveLength(1_200);
    expect(page.nextCursor).toBe('1200');
    expect((await run(stub.env, ['sessions', '--limit', '3'])).err).toContain('first 3');
  });

  test('without any says how to get some', async () => {
    stub.server.sessions = [];
    expect((await run(stub.env, ['sessions'])).out).toContain('connect claude');
  });

  test('show takes the beginning of an id', async () => {
    stub.server.events = [anEvent(1), anEvent(2)];
    const { exit, out } = await run(stub.env, ['sessions', 'show', '0f9d', '--events', '5']);
    expect(exit).toBe(0);
    expect(out).toContain('input 1,200, output 800, cache read 60,000, cache creation 500');
    expect(out).toContain('84.0k of 200k');
    expect(out.match(/UsageRecorded/g)).toHaveLength(2);
  });

  test('show tells which part of the cost is computed, and how reported cost differs', async () => {
    const check = { reportedUsd: '0.030000000', computedUsd: '0.031000000' };
    stub.server.sessions = [
      aSession({
        computedCostUsd: '0.007258500',
        priceCheck: { ...check, requests: 3, differenceUsd: '-0.001000000' },
      }),
    ];
    const { out } = await run(stub.env, ['sessions', 'show', '0f9d']);
    expect(out).toMatch(/computed +\$0\.0073 of it, from the price book/);
    expect(out).toMatch(/price check +of 3 requests the agents report \$0\.0300 .* -\$0\.0010/);
  });

  test('show wants more of an id that is not the only one, and names them', async () => {
    stub.server.sessions.push(aSession({ sessionId: otherId }));
    const { exit, err } = await run(stub.env, ['sessions', 'show', '0f9d']);
    expect(exit).toBe(1);
    expect(err).toContain('2 sessions begin with');
    expect(err).toContain(otherId);
  });

  test('show says when there is no such session', async () => {
    const { exit, err } = await run(stub.env, ['sessions', 'show', 'nope/../x']);
    expect(exit).toBe(1);
    expect(err).toContain('There is no session "nope/../x".');
    expect(stub.server.requests[0]).toBe('GET /api/v1/sessions/nope%2F..%2Fx');
  });

  test('cannot be made to act on the terminal by a hostile agent', async () => {
    const hostile = '\u001b]0;owned\u0007\u001b[2J\u202eevil\u009b31m';
    stub.server.sessions = [
      aSession({ model: hostile, agent: hostile, state: hostile, taskId: hostile }),
    ];
    for (const argv of [
      ['sessions'],
      ['sessions', 'show', '0f9d'],
      ['top'],
      ['sessions', '--json'],
    ]) {
      const { out } = await run(stub.env, argv);
      expect(out).toContain('evil');
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });
});

describe('top', () => {
  test('prints one table where there is no terminal', async () => {
    stub.server.sessions.push(aSession({ sessionId: otherId, state: 'ended' }));
    stub.server.usageItems = [
      {
        key: stub.server.sessions[0]?.sessionId,
        requests: 1,
        tokens: stub.server.sessions[0]?.tokens,
        costUsd: '1.000000000',
        unpricedRequests: 0,
      },
    ];
    const { exit, out } = await run(stub.env, ['top']);
    expect(exit).toBe(0);
    expect(out).toMatch(/0f9d1c2e .*\$0\.0373 +\$0\.2000 +5s/);
    expect(out).toContain('total: 1 sessions, 62.5k tokens, $0.0373, $0.2000/min');
    expect(out).not.toContain('ended');
    expect((await run(stub.env, ['top', '--all'])).out).toContain('ended');
  });

  test('never shows what has no known price as nothing', async () => {
    const session = aSession({ sessionId: 'a', costUsd: null, unpricedRequests: 2 });
    const { tokens, requests } = session;
    stub.server.sessions = [session];
    stub.server.usageItems = [{ key: 'a', tokens, requests, costUsd: null, unpricedRequests: 2 }];
    const { out } = await run(stub.env, ['top']);
    expect(out).toMatch(/ \? +\? +\d+s\n/);
    expect(JSON.parse((await run(stub.env, ['top', '--json'])).out)).toMatchObject({
      burnUsdPerMinute: { a: null },
    });
  });
});

describe('config', () => {
  test('shows where each value comes from, and not the token', async () => {
    await mkdir(join(stub.home, '.tri-agent'));
    await writeFile(join(stub.home, '.tri-agent', 'config.json'), '{"httpPort": 9090}');
    const { exit, out } = await run(stub.env, ['config']);
    expect(exit).toBe(0);
    expect(out).toMatch(/httpPort +9090 +\S+config\.json +TRI_AGENT_HTTP_PORT/);
    expect(out).toMatch(/url +http:\S+ +environment/);
    expect(out).toMatch(/otlpHttpPort +4318 +default/);
    expect(out).not.toContain(stub.env.TRI_AGENT_TOKEN);
    expect((await run(stub.env, ['config', '--json'])).out).not.toContain(stub.env.TRI_AGENT_TOKEN);
  });

  test('names a setting that is wrong', async () => {
    const { exit, err } = await run({ ...stub.env, TRI_AGENT_HTTP_PORT: 'many' }, ['config']);
    expect(exit).toBe(1);
    expect(err).toContain('TRI_AGENT_HTTP_PORT must be a port number.');
  });
});

describe('Every command', () => {
  test.each([
    ['status'],
    ['sessions'],
    ['sessions list'],
    ['sessions show 0f9d'],
    ['sessions show 0f9d --events 3'],
    ['usage'],
    ['usage models'],
    ['top'],
    ['config'],
    ['connect claude'],
    ['connect claude --dry-run'],
    ['disconnect claude'],
    ['doctor'],
  ])('%s --json prints one document', async (line) => {
    const { out, err } = await run(stub.env, [...line.split(' '), '--json']);
    expect(typeof JSON.parse(out)).toBe('object');
    expect(err).toBe('');
  });

  test('prints what the server sent with full precision as JSON', async () => {
    const { out } = await run(stub.env, ['--json', 'sessions', 'list']);
    expect(JSON.parse(out)).toEqual({ items: stub.server.sessions, nextCursor: null });
  });
});

describe('When something is wrong', () => {
  test.each([[[]], [['disconnect']]])(
    'says so as JSON where a command is missing: %j',
    async (words) => {
      const { exit, out, err } = await run(stub.env, [...words, '--json']);
      expect([exit, out]).toEqual([2, '']);
      expect(JSON.parse(err)).toMatchObject({ error: { code: 'usage' } });
    },
  );

  test.each([
    [['status', '--nope'], "unknown option '--nope'"],
    [['nonsense'], "unknown command 'nonsense'"],
    [['sessions', 'show'], "missing required argument 'id'"],
    [['sessions', 'list', '--limit', '0'], 'whole number from 1 to 10000'],
    [['sessions', 'list', '--state', 'odd'], 'active, idle, ended'],
    [['usage', '--since', 'whenever'], '2026-11-20'],
    [['usage', 'yearly'], 'hourly, daily, weekly'],
    [['usage', 'daily', '--by', 'week'], 'two cuts'],
    [['usage', 'models', '--breakdown', 'agent'], 'cannot be cut again'],
    [['usage', 'agents', '--breakdown', 'agent'], 'cannot be cut again'],
    [['usage', '--timezone', 'Mars/Olympus'], 'no time zone "Mars/Olympus"'],
    [['usage', '--by', 'colour'], 'minute, hour, day, week, month, block, model'],
    [['events', 'tail', '--after', 'x'], 'events tail'],
  ])('%j is not understood: exit code 2', async (argv, sentence) => {
    const { exit, out, err } = await run(stub.env, argv);
    expect(exit).toBe(2);
    expect(out).toBe('');
    expect(err.toLowerCase()).toContain(sentence.toLowerCase());
    expect(err.trim().split('\n')).toHaveLength(2);
    const asJson = await run(stub.env, [...argv, '--json']);
    expect(asJson.exit).toBe(2);
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: 'usage' } });
  });

  test('nothing typed shows the help and is a usage error; asking for help is none', async () => {
    const nothing = await run(stub.env, []);
    expect([nothing.exit, nothing.err.includes('Usage:')]).toEqual([2, true]);
    const help = await run(stub.env, ['sessions', '--help']);
    expect([help.exit, help.out.includes('--json')]).toEqual([0, true]);
    const version = await run(stub.env, ['--version']);
    expect([version.exit, version.out]).toEqual([0, '0.1.0\n']);
  });

  test('no server: says so and how to start one', async () => {
    const gone = { ...stub.env, TRI_AGENT_URL: 'http://127.0.0.1:1' };
    const { exit, err } = await run(gone, ['status']);
    expect(exit).toBe(1);
    expect(err).toBe(
      'No server answers at http://127.0.0.1:1.\n' +
        'Start it with npm start, or set TRI_AGENT_URL to where it runs.\n',
    );
    const asJson = await run(gone, ['events', 'tail', '--json']);
    expect(asJson.exit).toBe(1);
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: 'server_unreachable' } });
  });

  test('a token that is refused or missing: says which and where to get it', async () => {
    const wrong = await run({ ...stub.env, TRI_AGENT_TOKEN: 'not-the-right-token' }, ['status']);
    expect(wrong.exit).toBe(1);
    expect(wrong.err).toContain('does not take the token of TRI_AGENT_TOKEN');
    expect(wrong.err).not.toContain('not-the-right-token');
    const missing = await run({ ...stub.env, TRI_AGENT_TOKEN: '' }, ['status']);
    expect(missing.err).toContain(join(stub.home, '.tri-agent', 'token'));
  });

  test('the token is read from the data folder', async () => {
    await mkdir(join(stub.home, '.tri-agent'));
    await writeFile(join(stub.home, '.tri-agent', 'token'), `${stub.env.TRI_AGENT_TOKEN ?? ''}\n`);
    expect((await run({ ...stub.env, TRI_AGENT_TOKEN: '' }, ['status'])).exit).toBe(0);
  });

  test.each([
    ['another program', '<html>hello</html>'],
    ['another shape', '{"version": 1}'],
  ])('what answers is %s: says that it is no tri-agent', async (_what, body) => {
    const strange = { fetch: () => Promise.resolve(new Response(body)) };
    const { exit, err } = await run(stub.env, ['status'], strange);
    expect(exit).toBe(1);
    expect(err).toContain('does not speak as tri-agent does');
    expect(err).not.toContain('at Object');
  });

  test('the server refuses: passes its sentence on', async () => {
    const detail = 'The read model sessions is being rebuilt (40 %)';
    const refusing = {
      fetch: () =>
        Promise.resolve(
          Response.json(
            { title: 'Busy', status: 503, code: 'rebuilding', detail },
            { status: 503 },
          ),
        ),
    };
    const { exit, err } = await run(stub.env, ['sessions', '--json'], refusing);
    expect(exit).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'rebuilding' } });
    expect(err).toContain(detail);
  });
});
