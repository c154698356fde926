import { aSession } from '../test/samples.js';
import { stubbed } from '../test/stubbed.spec-helper.js';
import { run } from '../test/terminal.js';

const stub = stubbed();

const amount = (requests: number, costUsd: string | null) => ({
  requests,
  tokens: { input: 10 * requests, output: requests, cacheRead: 0, cacheCreation: 0 },
  costUsd,
});
const coverage = (given: Record<string, unknown> = {}) => ({
  fromTranscript: true,
  both: amount(1_999, '1.999000000'),
  onlyTranscript: amount(1, '0.001000000'),
  onlyTelemetry: amount(3, '0.003000000'),
  share: { requests: 0.9995, tokens: 0.5, cost: null },
  ...given,
});
const unknown = coverage({
  fromTranscript: false,
  share: { requests: null, tokens: null, cost: null },
});

describe('coverage', () => {
  test('lists sessions of which a file was imported, and the sum of all', async () => {
    stub.server.answers['/api/v1/coverage'] = {
      items: [
        { sessionId: 'aaaaaaaa-1', agent: 'codex', ...coverage() },
        { sessionId: 'bbbbbbbb-1', agent: 'codex', ...unknown },
      ],
      nextCursor: null,
      total: coverage(),
    };
    const { exit, out, err } = await run(stub.env, ['coverage']);
    expect(exit).toBe(0);
    // Cut, not rounded up to a whole.
    expect(out).toMatch(/codex +aaaaaaaa +99\.9% +50\.0% +– +1,999 +1 +3 +\$0\.0010/);
    expect(out).toMatch(/\n +all +99\.9%/);
    expect(out).not.toContain('bbbbbbbb');
    expect(err).toContain('Of 1 sessions no file was imported.');
  });

  test('says what to do where nothing was imported', async () => {
    const items = [{ sessionId: 'bbbbbbbb-1', agent: 'codex', ...unknown }];
    stub.server.answers['/api/v1/coverage'] = { items, nextCursor: null, total: unknown };
    const { exit, out } = await run(stub.env, ['coverage']);
    expect([exit, out]).toEqual([0, expect.stringContaining('tri-agent-ctl import')]);
  });

  test('names every gap of a session, harmlessly', async () => {
    const session = aSession({ sessionId: 'cccccccc-1' });
    stub.server.sessions = [session];
    const gap = { occurredAt: '2026-11-20T11:00:00.000Z', model: 'm\x1b[2J', costUsd: null };
    const tokens = amount(1, null).tokens;
    stub.server.answers['/api/v1/sessions/cccccccc-1/coverage'] = {
      ...{ sessionId: 'cccccccc-1', agent: session.agent, ...coverage() },
      stated: {
        ...{ statedAt: gap.occurredAt, tokens: amount(3_000, null).tokens, costUsd: '3.000000000' },
        missing: { tokens: { ...tokens, input: -20 }, costUsd: '0.997000000' },
      },
      gaps: [{ ...gap, tokens }],
      moreGaps: 4,
    };
    const { exit, out, err } = await run(stub.env, ['coverage', 'cccc']);
    expect(exit).toBe(0);
    expect(out).toMatch(/covered +requests 99\.9%, tokens 50\.0%, cost –/);
    expect(out).toMatch(/only by telemetry +3 requests, 33 tokens, \$0\.0030/);
    expect(out).toMatch(/of it not known here +-19 tokens, \$0\.9970/);
    expect(out).toMatch(/2026-11-20 11:00:00.* +m +11 +\?/);
    expect(out).not.toContain('\x1b');
    expect(err).toContain('And 4 more.');
  });
});

describe('prices apply', () => {
  const page = (nextCursor: string | null) => ({
    ...{ checkedRequests: 1_000, correctedRequests: 2, unpricedRequests: 1 },
    ...{ costDifferenceUsd: '-0.250000000', nextCursor },
  });

  test('tells by how much the cost changed, and which prices are missing still', async () => {
    stub.server.answers['/api/v1/usage/corrections'] = page(null);
    const { exit, out, err } = await run(stub.env, ['prices', 'apply', '--since', '2026-11-01']);
    expect(exit).toBe(0);
    expect(out).toMatch(/1,000 requests since 2026-11-01.* of 2 changed, .* by -\$0\.2500\./);
    expect(err).toContain('prices missing');
    expect(stub.server.posted).toEqual([{ since: '2026-11-01T00:00:00.000Z', dryRun: false }]);
  });

  test('changes nothing when it is only asked what would change', async () => {
    stub.server.answers['/api/v1/usage/corrections'] = page(null);
    const { out } = await run(stub.env, [
      'prices',
      'apply',
      '--since',
      '24h',
      '--dry-run',
      '--json',
    ]);
    expect(JSON.parse(out)).toMatchObject({ dryRun: true, costDifferenceUsd: '-0.250000000' });
    expect(stub.server.posted).toMatchObject([{ dryRun: true }]);
  });

  test('needs to know since when', async () => {
    expect((await run(stub.env, ['prices', 'apply'])).exit).toBe(2);
  });
});
