import fc from 'fast-check';
import { readCsv } from './csv.js';

describe('CSV', () => {
  test.each<[string, readonly (readonly [number, readonly string[]])[]]>([
    ['', []],
    [
      'a,b\n1,2\n',
      [
        [1, ['a', 'b']],
        [2, ['1', '2']],
      ],
    ],
    [
      'a\r\nb\rc',
      [
        [1, ['a']],
        [2, ['b']],
        [3, ['c']],
      ],
    ],
    ['a,,\n', [[1, ['a', '', '']]]],
    ['a,', [[1, ['a', '']]]],
    [' a , b ', [[1, ['a', 'b']]]],
    ['\n\n,,\na', [[4, ['a']]]],
    [
      '"a,b","c ""d"""\ne',
      [
        [1, ['a,b', 'c "d"']],
        [2, ['e']],
      ],
    ],
    [
      '"two\nlines",x\ny',
      [
        [1, ['two\nlines', 'x']],
        [3, ['y']],
      ],
    ],
    ['""', []],
  ])('%j is read cell by cell, with the line of each record', (text, records) => {
    expect(readCsv(text)).toEqual(records.map(([line, cells]) => ({ line, cells })));
  });

  test.each(['a"b,c', '"a"b', '"never closed'])('%j costs its line and no other', (line) => {
    expect(readCsv(`first\n${line}\nlast`)).toEqual([
      { line: 1, cells: ['first'] },
      { line: 2, cells: [], fault: expect.stringContaining('quotation mark') as string },
      { line: 3, cells: ['last'] },
    ]);
  });

  test('comes back as it was written, whatever the cells', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ') });
    fc.assert(
      fc.property(fc.array(fc.array(text, { minLength: 1 }), { maxLength: 5 }), (rows) => {
        const written = rows
          .map((row) => row.map((it) => `"${it.replaceAll('"', '""')}"`).join(','))
          .join('\n');
        const full = rows.filter((row) => row.some((it) => it !== ''));
        expect(readCsv(written).map(({ cells }) => cells)).toEqual(full);
      }),
    );
  });

  test('of a megabyte of nothing but quotation marks ends', () => {
    expect(readCsv('"\n'.repeat(250_000)).length).toBeGreaterThan(0);
    expect(readCsv(`"${'""'.repeat(500_000)}"`)).toHaveLength(1);
  });
});
