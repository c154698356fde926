import { stubbed } from '../test/stubbed.spec-helper.js';
import { run } from '../test/terminal.js';

const stub = stubbed(({ server }) => {
  server.answers['/api/v1/prices'] = published();
});

function published(given: Record<string, unknown> = {}) {
  return { priceVersion: 'operator-1', accepted: 1, refused: [], warnings: [], ...given };
}
const aPrice = (given: Record<string, unknown> = {}) => ({
  provider: 'anthropic',
  model: 'claude-sonnet-4-5',
  tier: 'standard',
  promptTokensAbove: 200_000,
  validFrom: '1970-01-01T00:00:00.000Z',
  validUntil: '2026-12-01T00:00:00.000Z',
  usdPerMillionTokens: {
    input: '3.000000000',
    output: '22.500000000',
    cacheRead: '0.000000001',
    cacheCreation: null,
    cacheCreation1h: '6.000000000',
  },
  origin: 'shipped',
  priceVersion: 'shipped-1',
  source: 's',
  superseded: false,
  ...given,
});
const aMissing = (given: Record<string, unknown> = {}) => ({
  agent: 'codex',
  provider: 'openai',
  model: 'gpt-x',
  tier: 'standard',
  firstSeenAt: '2026-11-20T11:00:00.000Z',
  lastSeenAt: '2026-11-20T11:59:55.000Z',
  resolved: false,
  ...given,
});
const list = (...items: unknown[]) => ({ items, nextCursor: null });

describe('prices', () => {
  test('lists exact dollars per million tokens, and what is unknown', async () => {
    stub.server.answers['/api/v1/prices'] = list(aPrice(), aPrice({ superseded: true }));
    const { exit, out } = await run(stub.env, ['prices']);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /anthropic +claude-sonnet-4-5 +standard +200,000 +3\.00 +22\.50 +0\.000000001 +\? +6\.00 +2026-12-01 +shipped\n/,
    );
    expect(out).toContain('shipped, superseded');
  });

  test('list asks for models, a provider and what was superseded', async () => {
    stub.server.answers['/api/v1/prices'] = list();
    const { out } = await run(stub.env, [
      'prices',
      'list',
      '--model',
      'sonnet',
      '--provider',
      'a',
      '--all',
    ]);
    expect(stub.server.requests[0]).toBe(
      'GET /api/v1/prices?model=sonnet&provider=a&all=true&limit=500',
    );
    expect(out).toContain('No such prices');
  });

  test('missing names the models without one, and what to do', async () => {
    stub.server.answers['/api/v1/prices/missing'] = list(
      aMissing(),
      aMissing({ model: 'y', resolved: true }),
    );
    const { exit, out, err } = await run(stub.env, ['prices', 'missing', '--all']);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /codex +openai +gpt-x +standard +5s +unknown\n.* y +standard +5s +known by now/,
    );
    expect(err).toContain('tri-agent-ctl prices set');
    stub.server.answers['/api/v1/prices/missing'] = list();
    expect((await run(stub.env, ['prices', 'missing'])).out).toBe(
      'Every model that was used has a price.\n',
    );
  });

  test('prints no terminal sequence that a model has in its name', async () => {
    const model = 'evil\u001b[2J\u202e';
    stub.server.answers['/api/v1/prices'] = list(aPrice({ model }));
    stub.server.answers['/api/v1/prices/missing'] = list(aMissing({ model }));
    for (const argv of [['prices'], ['prices', '--json'], ['prices', 'missing'], ['doctor']]) {
      expect((await run(stub.env, argv)).out).not.toMatch(/\u001b|\u202e/);
    }
  });

  test.each([[['prices', 'list']], [['prices', 'missing']]])(
    '%j prints the answer with --json',
    async (argv) => {
      const answer = list(argv[1] === 'list' ? aPrice() : aMissing());
      stub.server.answers[argv[1] === 'list' ? '/api/v1/prices' : '/api/v1/prices/missing'] =
        answer;
      expect(JSON.parse((await run(stub.env, [...argv, '--json'])).out)).toEqual(answer);
    },
  );
});

describe('prices set', () => {
  const set = ['prices', 'set', 'claude-x', '--provider', 'anthropic'];
  const rates = ['--input', '3', '--output', '15.000000001'];

  test('publishes one price with its decimals as they were typed', async () => {
    const more = ['--cache-read', '0.3', '--cache-creation', '3.75', '--cache-creation-1h', '6'];
    const when = [
      '--tier',
      'fast',
      '--above',
      '200000',
      '--from',
      '2026-01-01',
      '--until',
      'today',
    ];
    const argv = [...set, ...rates, ...more, ...when, '--source', 'contract'];
    const { exit, out, err } = await run(stub.env, argv);
    expect({ exit, out, err }).toEqual({
      exit: 0,
      out: 'The price was published as operator-1.\n',
      err: '',
    });
    expect(stub.server.posted).toEqual([
      {
        source: 'contract',
        prices: [
          {
            provider: 'anthropic',
            model: 'claude-x',
            tier: 'fast',
            promptTokensAbove: 200_000,
            validFrom: '2026-01-01T00:00:00.000Z',
            validUntil: '2026-11-20T00:00:00.000Z',
            usdPerMillionTokens: {
              input: '3',
              output: '15.000000001',
              cacheRead: '0.3',
              cacheCreation: '3.75',
              cacheCreation1h: '6',
            },
          },
        ],
      },
    ]);
  });

  test('says that requests with cached tokens stay without a cost where their price was left out', async () => {
    const { err } = await run(stub.env, [...set, ...rates]);
    expect(err).toContain('cached tokens');
  });

  test('says when the price counted already', async () => {
    stub.server.answers['/api/v1/prices'] = published({
      priceVersion: null,
      warnings: ['Mind the gap.'],
    });
    const { out, err } = await run(stub.env, [...set, ...rates]);
    expect(out).toBe('The price counted already: nothing was published.\n');
    expect(err).toContain('Mind the gap.');
  });

  test('fails with the reason when the server refuses it', async () => {
    const refused = [{ index: 0, reason: 'model may have a * only at its end', overlaps: [] }];
    stub.server.answers['/api/v1/prices'] = published({ priceVersion: null, accepted: 0, refused });
    const { exit, err } = await run(stub.env, [...set, ...rates]);
    expect(exit).toBe(1);
    expect(err).toContain('model may have a * only at its end');
  });

  test.each([
    [set],
    [[...set, '--input', '3']],
    [[...set, '--input', '0.0000000001', '--output', '1']],
    [[...set, '--input', '3,75', '--output', '1']],
    [[...set, '--input=-1', '--output', '1']],
    [[...set, ...rates, '--above', 'many']],
    [[...set, ...rates, '--from', 'someday']],
    [['prices', 'set', '--provider', 'a', ...rates]],
    [['prices', 'burn']],
  ])('%j is not understood', async (argv) => {
    const { exit, out } = await run(stub.env, argv);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(stub.server.posted).toEqual([]);
  });
});

describe('doctor', () => {
  test('names the models that have no price', async () => {
    stub.server.answers['/api/v1/prices/missing'] = list(aMissing(), aMissing({ tier: 'fast' }));
    const { out } = await run(stub.env, ['doctor']);
    expect(out).toMatch(/warn {2}prices: none is known for gpt-x\n/);
    stub.server.answers['/api/v1/prices/missing'] = list();
    expect((await run(stub.env, ['doctor'])).out).toContain(
      'prices: every model that was used has one',
    );
  });

  test('says nothing of prices where the server knows none', async () => {
    expect((await run(stub.env, ['doctor'])).out).not.toContain('prices');
  });
});
