import { Readable } from 'node:stream';
import fc from 'fast-check';
import { linesOf, type Line } from './lines.js';

async function lines(chunks: readonly Uint8Array[], charactersMax = 1_000): Promise<Line[]> {
  const all: Line[] = [];
  for await (const line of linesOf(Readable.from(chunks), charactersMax)) all.push(line);
  return all;
}

describe('The lines of a stream', () => {
  test('are the same however it is cut', async () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }).filter((it) => !/[\r\n]/.test(it)));
    await fc.assert(
      fc.asyncProperty(text, fc.nat({ max: 7 }), async (wanted, size) => {
        const bytes = Buffer.from(wanted.map((it) => `${it}\n`).join(''));
        const chunks: Uint8Array[] = [];
        for (let from = 0; from < bytes.length; from += size + 1) {
          chunks.push(bytes.subarray(from, from + size + 1));
        }
        expect(await lines(chunks)).toEqual(wanted.map((it) => ({ text: it, isCut: false })));
      }),
    );
  });

  test('end with the last one, whether it is ended or not', async () => {
    expect(await lines([Buffer.from('one\r\n\ntwo')])).toEqual([
      { text: 'one', isCut: false },
      { text: '', isCut: false },
      { text: 'two', isCut: false },
    ]);
  });

  test('are cut at the limit, and the next one is whole again', async () => {
    const long = Buffer.from(`${'x'.repeat(10_000_000)}\nshort\n`);
    const chunks = [long.subarray(0, 5_000_000), long.subarray(5_000_000)];
    expect(await lines(chunks, 5)).toEqual([
      { text: 'xxxxx', isCut: true },
      { text: 'short', isCut: false },
    ]);
  });
});
