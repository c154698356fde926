import fc from 'fast-check';
import { csvOf, inert, type CsvCell } from './csv.js';

/** Reads RFC 4180 back, with nothing in common with the writer. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let rest = text;
  let row: string[] = [];
  while (rest !== '') {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest);
    if (match === null) throw new Error(`This is no CSV: ${rest.slice(0, 40)}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
    rest = rest.slice(match[0].length);
  }
  return rows;
}

const hostile = fc.array(
  fc.constantFrom(
    '=',
    '+',
    '-',
    '@',
    '\t',
    '\r',
    '\n',
    ' ',
    '\u00a0',
    ',',
    '"',
    "'",
    'a',
    '1',
    '＝',
  ),
  { maxLength: 12 },
);
const cell = fc.oneof(
  fc.string({ unit: 'binary' }),
  hostile.map((characters) => characters.join('')),
  fc.integer(),
  fc.constant(null),
);

describe('A CSV table', () => {
  test('gives back every cell when it is read', () => {
    const table = fc
      .integer({ min: 1, max: 5 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width })));
    fc.assert(
      fc.property(table, (rows) => {
        const head = (rows[0] ?? ['a']).map((_, index) => `column${index}`);
        const text = (it: CsvCell): string =>
          it === null ? '' : typeof it === 'number' ? String(it) : inert(it);
        expect(parseCsv(csvOf(head, rows))).toEqual([head, ...rows.map((row) => row.map(text))]);
      }),
    );
  });

  test('keeps harmless text and numbers as they are', () => {
    const rows = [['claude-sonnet-4-5', '0.037258500', -3, null, 'a "b", c\nd']];
    expect(parseCsv(csvOf(['a', 'b', 'c', 'd', 'e'], rows))[1]).toEqual([
      'claude-sonnet-4-5',
      '0.037258500',
      '-3',
      '',
      'a "b", c\nd',
    ]);
    expect(csvOf(['a'], [['-0.500000000']])).toBe('a\r\n-0.500000000\r\n');
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['+1+1', "'+1+1"],
    ['-2+3+cmd|x', "'-2+3+cmd|x"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', "'\r'=1"],
    [' =1', "' =1"],
    ['\u00a0=1', "'\u00a0=1"],
    ['a\n=1', "a\n'=1"],
    ['a\r\n @x', "a\r'\n' @x"],
    ['＝1', "'＝1"],
  ])('makes text of the formula %j', (text, shown) => {
    expect(parseCsv(csvOf(['a'], [[text]]))[1]).toEqual([shown]);
  });

  test('has no cell in which a line begins as a formula does', () => {
    fc.assert(
      fc.property(cell, (it) => {
        const [read = ''] = parseCsv(csvOf(['a'], [[it]]))[1] ?? [];
        const lines = /^-?\d+(\.\d+)?$/.test(read) ? [] : read.split(/\r\n|[\r\n]/);
        for (const line of lines) expect(line.trimStart()).not.toMatch(/^[=+\-@＝＋－＠]/);
      }),
    );
  });
});
