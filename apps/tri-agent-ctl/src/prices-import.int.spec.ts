import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stubbed } from '../test/stubbed.spec-helper.js';
import { run } from '../test/terminal.js';

const stub = stubbed(({ server }) => {
  server.answers['/api/v1/prices'] = published();
});

function published(given: Record<string, unknown> = {}) {
  return { priceVersion: 'operator-1', accepted: 1, refused: [], warnings: [], ...given };
}
describe('prices import', () => {
  async function importing(name: string, content: string | Uint8Array, ...more: string[]) {
    const path = join(stub.home, name);
    await writeFile(path, content);
    return run(stub.env, ['prices', 'import', path, ...more]);
  }

  test('publishes a CSV file; an empty cell says nothing', async () => {
    const { exit, out } = await importing(
      'prices.csv',
      '\ufeffmodel,provider,input,output,cacheRead,validFrom,validUntil,promptTokensAbove\r\n' +
        '"a",openai,1.10,4,,2026-01-01,,200000\r\n',
    );
    expect({ exit, out }).toEqual({ exit: 0, out: 'The price was published as operator-1.\n' });
    expect(stub.server.posted).toEqual([
      {
        source: 'prices.csv',
        prices: [
          {
            model: 'a',
            provider: 'openai',
            validFrom: '2026-01-01T00:00:00Z',
            promptTokensAbove: 200_000,
            usdPerMillionTokens: { input: '1.10', output: '4' },
          },
        ],
      },
    ]);
  });

  test('publishes a JSON file, with numbers as the decimals that they are', async () => {
    const price = { model: 'a', usdPerMillionTokens: { input: 0.1, output: '4', cacheRead: null } };
    const file = { source: 'contract', prices: [{ ...price, validFrom: '2026-01-01' }, 'odd'] };
    await importing('prices.json', JSON.stringify(file));
    await importing('list', JSON.stringify([price]), '--source', 'me');
    const usdPerMillionTokens = { input: '0.1', output: '4', cacheRead: null };
    expect(stub.server.posted).toEqual([
      {
        source: 'contract',
        prices: [{ model: 'a', validFrom: '2026-01-01T00:00:00Z', usdPerMillionTokens }, 'odd'],
      },
      { source: 'me', prices: [{ model: 'a', usdPerMillionTokens }] },
    ]);
  });

  const partly = [
    'provider,model,input,output',
    'openai,a,1,2',
    'openai,b,1',
    '',
    'openai,"c,1,2',
    'openai,d,-1,2',
    'openai,a,3,4',
  ].join('\n');

  test('reports by line what was refused, publishes the rest, and ends with 1', async () => {
    stub.server.answers['/api/v1/prices'] = published({
      accepted: 3,
      refused: [
        { index: 1, reason: 'input must be \u001b[2JUS dollars', overlaps: [] },
        { index: 2, reason: 'it overlaps', overlaps: [0, 1] },
      ],
      warnings: ['There is a gap.'],
    });
    const { exit, out, err } = await importing('p.csv', partly);
    expect({ exit, out }).toEqual({ exit: 1, out: '3 prices were published as operator-1.\n' });
    expect(err.split('\n')).toEqual([
      'There is a gap.',
      'Refused: 4.',
      expect.stringMatching(/line 3: it has 3 cells where there are 4 columns$/),
      expect.stringMatching(/line 5: it has a quotation mark/),
      expect.stringMatching(/line 6: input must be US dollars$/),
      expect.stringMatching(/line 7: it overlaps \(see line 2, line 6\)$/),
      '',
    ]);
  });

  test('tells programs the same', async () => {
    const { exit, out } = await importing('p.csv', partly, '--json');
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      priceVersion: 'operator-1',
      refused: [{ place: 'line 3' }, { place: 'line 5' }],
    });
  });

  test('asks the server nothing when no line can be used', async () => {
    const { exit, out } = await importing('p.csv', 'provider,model,input,output\nx\n');
    expect({ exit, out }).toEqual({ exit: 1, out: 'Nothing was published.\n' });
    expect(stub.server.posted).toEqual([]);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['a truncated JSON file', '{"prices": [{"model"', /is not sound JSON/],
    ['JSON without prices', '{"price": []}', /has no list "prices"/],
    ['an empty file', '', /does not begin with a line of column names/],
    ['a head alone', 'provider,model,input,output\n', /holds no prices/],
    ['an unknown column', 'provider,colour\na,b\n', /there is no column "colour"/],
    ['a column twice', 'model,model\na,b\n', /names a column twice/],
    ['UTF-16', Buffer.from('\ufeffprovider', 'utf16le'), /not valid for encoding utf-8/],
    ['more prices than go in', `model\n${'a\n'.repeat(501)}`, /holds 501 prices; 500/],
    ['more bytes than are read', 'a'.repeat(1024 * 1024 + 1), /more than 1048576 bytes/],
  ])('refuses %s, and says why', async (_, content, reason) => {
    const { exit, err } = await importing('file', content);
    expect(exit).toBe(1);
    expect(err).toMatch(reason);
    expect(stub.server.posted).toEqual([]);
  });

  test('says what is wrong with a file that is not there', async () => {
    const { exit, err } = await run(stub.env, ['prices', 'import', join(stub.home, 'nowhere.csv')]);
    expect(exit).toBe(1);
    expect(err).toMatch(/cannot be read: ENOENT/);
  });

  test('tells the form of the file with --help', async () => {
    const { exit, out } = await run(stub.env, ['prices', 'import', '--help']);
    expect(exit).toBe(0);
    expect(out).toContain('provider,model,tier,promptTokensAbove');
  });
});
