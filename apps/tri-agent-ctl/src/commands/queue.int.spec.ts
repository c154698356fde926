import { harmful, hostile } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed(({ server }) => {
  for (const verb of ['pause', 'resume', 'drain', 'limits']) {
    server.answers[`/api/v1/queue/${verb}`] = { changed: true };
  }
});

const counts = { waiting: 4, ready: 1_200, delayed: 2, running: 3, paused: 5 };
const figures = (given: Record<string, unknown> = {}) => ({
  shard: 'impl',
  arrivalsPerHour: 12,
  servedPerHourPerSlot: 4.5,
  slots: 3,
  utilisation: 0.888,
  expectedWaitMs: 432,
  observedWaitMs: { mean: 61_000, p95: 90_000, max: 3_700_000 },
  ...given,
});
const queue = (given: Record<string, unknown> = {}) => ({
  ...counts,
  open: 1_209,
  parked: 5,
  windowMs: 3_600_000,
  shards: [figures()],
  closed: [],
  coolingDown: [],
  wipLimits: [],
  ...given,
});

describe('queue stats', () => {
  test('counts what waits for what, and lays theory beside what was seen', async () => {
    const idle = { utilisation: null, servedPerHourPerSlot: null, expectedWaitMs: null };
    stub.server.answers['/api/v1/queue'] = queue({
      shards: [
        figures(),
        figures({ shard: 'review', utilisation: 1, expectedWaitMs: null }),
        figures({ shard: 'architect', ...idle, observedWaitMs: null }),
      ],
    });
    const { exit, out } = await run(stub.env, ['queue']);
    expect(exit).toBe(0);
    expect(out).toMatch(/open +1,209\n/);
    expect(out).toMatch(/ready +1,200\n/);
    expect(out).toMatch(/dead letters +5\n/);
    expect(out).toMatch(/figures of +the last 1h 0m\n/);
    expect(out).toMatch(/SHARD +λ\/H +μ\/H +C +ρ +WQ +WAITED +95% +LONGEST\n/);
    expect(out).toMatch(/impl +12\.00 +4\.50 +3 +0\.89 +432ms +1m +1m +1h 1m\n/);
    expect(out).toMatch(/review +12\.00 +4\.50 +3 +1\.00 +no end +1m/);
    expect(out).toMatch(/architect +12\.00 +– +3 +– +– +– +– +–\n/);
    expect(out).not.toMatch(/CLOSED|COOLING|LIMITED/);
  });

  test('names what is closed, what cools down and for how long, and what is limited', async () => {
    const seat = { provider: 'anthropic', account: 'default', level: 3 };
    stub.server.answers['/api/v1/queue'] = queue({
      closed: [
        { scope: 'all', mode: 'paused', reason: 'lunch', since: '2026-11-20T11:00:00.000Z' },
        { scope: 'team:web', mode: 'draining', reason: '', since: '2026-11-20T11:59:00.000Z' },
      ],
      coolingDown: [
        { ...seat, model: null, until: '2026-11-20T12:05:30.000Z', state: 'closed' },
        { ...seat, model: 'opus', until: '2026-11-20T11:59:00.000Z', state: 'probing' },
      ],
      wipLimits: [{ scope: 'agent:codex', limit: 2, running: 2 }],
    });
    const { out } = await run(stub.env, ['queue', 'stats']);
    expect(out).toMatch(/claims +none: the whole queue is closed\n/);
    expect(out).toMatch(/all +paused +1h 0m +lunch\n/);
    expect(out).toMatch(/team:web +draining +1m +–\n/);
    expect(out).toMatch(/anthropic +default +all +closed +3 +5m\n/);
    expect(out).toMatch(/anthropic +default +opus +probing +3 +0s\n/);
    expect(out).toMatch(/agent:codex +2 +2\n/);
  });

  test('prints the answer with --json', async () => {
    stub.server.answers['/api/v1/queue'] = queue();
    expect(JSON.parse((await run(stub.env, ['queue', '--json'])).out)).toEqual(queue());
  });
});

describe('The gates of the queue', () => {
  test.each([
    [['pause'], { scope: 'all' }, 'The queue is paused'],
    [['pause', '--lane', 'background'], { scope: 'lane:background' }, 'lane:background is paused'],
    [['drain', '--worker', 'w 1'], { scope: 'worker:w 1' }, 'worker:w 1 is draining'],
    [['resume', '--shard', 'review'], { scope: 'shard:review' }, 'shard:review is open again'],
    [['pause', '--scope', 'team:a:b'], { scope: 'team:a:b' }, 'team:a:b is paused'],
    [['pause', '--reason', 'x'], { scope: 'all', reason: 'x' }, 'The queue is paused'],
  ])('%j asks for that scope', async (argv, body, said) => {
    const { exit, out } = await run(stub.env, ['queue', ...argv]);
    expect(exit).toBe(0);
    expect(out).toContain(said);
    expect(stub.server.posted).toEqual([body]);
    const { out: json } = await run(stub.env, ['queue', ...argv, '--json']);
    expect(JSON.parse(json)).toEqual({ changed: true, scope: body.scope });
  });

  test('tell how to open them again, and when nothing was changed', async () => {
    const { out } = await run(stub.env, ['queue', 'pause', '--lane', 'normal']);
    expect(out).toContain('tri-agent-ctl queue resume --scope lane:normal\n');
    stub.server.answers['/api/v1/queue/resume'] = { changed: false };
    expect((await run(stub.env, ['queue', 'resume'])).out).toBe('The queue was open already.\n');
  });

  test.each([
    [['pause', '--lane', 'urgent']],
    [['pause', '--lane', 'normal', '--shard', 'impl']],
    [['pause', '--scope', 'all', '--worker', 'w']],
    [['pause', '--scope', 'colour:red']],
    [['pause', '--scope', 'team:']],
    [['pause', '--scope', 'everything']],
    [['pause', '--scope', `team:${'a'.repeat(204)}`]],
    [['limit']],
    [['limit', 'many']],
    [['limit', '1.5']],
    [['limit', '--', '-1']],
    [['stop']],
  ])('%j is not understood', async (argv) => {
    const { exit, out } = await run(stub.env, ['queue', ...argv]);
    expect({ exit, out, posted: stub.server.posted }).toEqual({ exit: 2, out: '', posted: [] });
  });
});

describe('queue limit', () => {
  test.each([
    [['3'], { scope: 'all', limit: 3 }, 'The queue has a limit of 3 at once.\n'],
    [['0', '--lane', 'background'], { scope: 'lane:background', limit: 0 }, 'limit of 0 at once'],
    [['none', '--scope', 'agent:codex'], { scope: 'agent:codex', limit: null }, 'has no limit.\n'],
  ])('%j sets it', async (argv, body, said) => {
    const { exit, out } = await run(stub.env, ['queue', 'limit', ...argv]);
    expect(exit).toBe(0);
    expect(out).toContain(said);
    expect(stub.server.posted).toEqual([body]);
    const { out: json } = await run(stub.env, ['queue', 'limit', ...argv, '--json']);
    expect(JSON.parse(json)).toEqual({ changed: true, ...body });
  });

  test('says when it was so already', async () => {
    stub.server.answers['/api/v1/queue/limits'] = { changed: false };
    const { out } = await run(stub.env, ['queue', 'limit', 'none']);
    expect(out).toBe('The queue had no limit already.\n');
  });
});

describe('lanes', () => {
  test('shows what stands in each, and for how long', async () => {
    const lanes = {
      items: [
        { lane: 'critical', ...counts, headStartMs: 3_600_000, oldestWaitMs: 125_000 },
        { lane: 'background', ...counts, headStartMs: 0, oldestWaitMs: null },
      ],
    };
    stub.server.answers['/api/v1/lanes'] = lanes;
    const { exit, out } = await run(stub.env, ['lanes']);
    expect(exit).toBe(0);
    expect(out).toMatch(/critical +4 +1,200 +2 +3 +5 +2m +1h 0m\n/);
    expect(out).toMatch(/background +4 +1,200 +2 +3 +5 +– +0s\n/);
    expect(JSON.parse((await run(stub.env, ['lanes', '--json'])).out)).toEqual(lanes);
  });
});

test('Nothing that somebody wrote reaches the terminal as more than text', async () => {
  const evil = { scope: hostile, mode: hostile, reason: hostile, since: hostile };
  stub.server.answers['/api/v1/queue'] = queue({
    shards: [figures({ shard: hostile })],
    closed: [evil],
    coolingDown: [
      { provider: hostile, account: hostile, model: hostile, until: hostile, state: hostile },
    ],
    wipLimits: [{ scope: hostile, limit: 1, running: 1 }],
  });
  const lane = { lane: hostile, ...counts, headStartMs: 0, oldestWaitMs: 0 };
  stub.server.answers['/api/v1/lanes'] = { items: [lane] };
  const scope = `team:${hostile}`;
  for (const argv of [
    ['queue'],
    ['queue', 'pause', '--scope', scope],
    ['queue', 'limit', '3', '--scope', scope],
    ['lanes'],
  ]) {
    for (const as of [[], ['--json']]) {
      const { out, err } = await run(stub.env, [...argv, ...as]);
      expect(out + err).toMatch(/\S/);
      expect(out + err).not.toMatch(harmful);
      if (as.length === 0) expect(out + err).not.toMatch(/^(second line|third)/m);
    }
  }
});
