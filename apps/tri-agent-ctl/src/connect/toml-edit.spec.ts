import fc from 'fast-check';
import { editTable, hasTable, parseToml, tableValues, tomlSource } from './toml-edit.js';

const ours = { exporter: '{ http = { to = "x" } }', log: 'false' };
const added = new Map(Object.entries(ours));

function edit(text: string): string | undefined {
  return editTable(text, 'otel', added);
}

const lines = 'exporter = { http = { to = "x" } }\nlog = false';

describe('Editing a table of TOML text', () => {
  test.each([
    ['an empty file', '', `[otel]\n${lines}\n`],
    ['a file without the table', 'a = 1\n', `a = 1\n\n[otel]\n${lines}\n`],
    ['a missing last line break', 'a = 1', `a = 1\n\n[otel]\n${lines}`],
    ['the table in the middle', '[otel]\n\n[b]\n', `[otel]\n${lines}\n\n[b]\n`],
    [
      'other keys',
      '[otel]\n  env = "e" # c\n\n',
      `[otel]\n  env = "e" # c\n  ${lines.replace('\n', '\n  ')}\n\n`,
    ],
    [
      'dotted keys',
      'otel.env = "e"\nb = 1',
      `otel.env = "e"\notel.${lines.replace('\n', '\notel.')}\nb = 1`,
    ],
    [
      'values of ours',
      "[otel]\nlog = true # mine\nexporter= 'none'",
      '[otel]\nlog = false # mine\nexporter= { http = { to = "x" } }',
    ],
    ['a quoted table', '["otel"]\nb."c]d" = 1\n', `["otel"]\nb."c]d" = 1\n${lines}\n`],
    [
      'a table inside of it',
      '[otel.attributes]\na = 1\n',
      `[otel.attributes]\na = 1\n\n[otel]\n${lines}\n`,
    ],
    [
      'look-alikes in strings',
      'a = """\n[otel]\nlog = 1 # \\" """\nb = \'\'\'\n[otel]\'\'\'',
      `a = """\n[otel]\nlog = 1 # \\" """\nb = '''\n[otel]'''\n\n[otel]\n${lines}`,
    ],
    [
      'values over several lines',
      '[otel]\na = [\n  1, # [otel]\n  2,\n]\n',
      `[otel]\na = [\n  1, # [otel]\n  2,\n]\n${lines}\n`,
    ],
  ])('adds to %s and leaves the rest to the letter', (_what, before, after) => {
    expect(edit(before)).toBe(after);
  });

  test('keeps the line ends of Windows', () => {
    expect(edit('a = 1\r\n')).toBe(`a = 1\r\n\r\n[otel]\r\n${lines.replace('\n', '\r\n')}\r\n`);
  });

  test.each([
    ['a table written as a value', 'otel = { log = true }'],
    ['a value written as a table', '[otel.exporter.http]\nto = "y"'],
    ['a value written with dots', '[otel]\nexporter.http.to = "y"'],
    ['a list of tables', '[[otel]]\na = 1'],
    ['something else of that name', 'otel = 1'],
  ])('refuses %s', (_what, text) => {
    expect(edit(text)).toBeUndefined();
  });

  test('reads values as they are written, and as short as can be where they are tables', () => {
    const text = `[otel]\na = 'x' # c\n[otel.b]\nc = [1, 2.5]\n[otel.b."d e"]\nf = 1979-05-27\n`;
    expect(tableValues(text, 'otel')).toEqual({
      a: "'x'",
      b: '{ c = [1, 2.5], "d e" = { f = 1979-05-27 } }',
    });
  });
});

/** TOML files as people write them: comments, tables before and behind, several forms of values. */
const comment = fc.stringMatching(/^[ a-z="'[\]]{0,12}$/).map((text) => `#${text}`);
const value = fc.oneof(
  fc.constantFrom(
    '1',
    '-2.5',
    'true',
    '1979-05-27T07:32:00Z',
    '0xff',
    '"""\n[otel]\n"""',
    "'''\nlog = 1'''",
  ),
  fc.string().map((text) => tomlSource(text.replace(/\p{Cc}/gu, ''))),
  fc.constantFrom('[1, 2]', '[\n  "a", # [otel]\n]', '{ a = 1, "b]" = [{}] }', "'#'"),
);
const blank = fc.constantFrom('', ' ', '  # c');
const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'env', '"q = r"', 'x-y', "'s]'", 'p.q'), {
  maxLength: 4,
});

const body = keys.chain((names) =>
  fc
    .tuple(...names.map((name) => fc.tuple(fc.constantFrom(name), value, blank)))
    .map((pairs) => pairs.map(([name, source, after]) => `${name} = ${source}${after}`)),
);

const table = (header: string) =>
  fc
    .tuple(fc.array(comment, { maxLength: 2 }), body)
    .map(([comments, pairs]) => [...comments, header, ...pairs]);

const file = fc
  .record({
    root: body,
    before: fc.option(table('[tui]')),
    otel: fc.option(
      fc.oneof(
        table('[otel]'),
        table('[ otel ] # here'),
        table('[otel]').map((rows) => [...rows, "log = 'mine' # kept"]),
      ),
    ),
    inside: fc.option(table('[otel.deeper]')),
    behind: fc.option(table('[[more."otel"]]')),
    newline: fc.constantFrom('\n', '\r\n'),
    last: fc.constantFrom('', '\n', '\n\n'),
  })
  .map(({ root, before, otel, inside, behind, newline, last }) =>
    (
      [root, before, otel, inside, behind].flatMap((rows) => rows ?? []).join('\n') + last
    ).replaceAll('\n', newline),
  );

describe('Of any file', () => {
  test('only our keys change, and taking them back gives the bytes back', () => {
    fc.assert(
      fc.property(file, (text) => {
        const before = tableValues(text, 'otel');
        const created = !hasTable(text, 'otel');
        const edited = edit(text) ?? '(refused)';
        const otel = { ...(parseToml(edited)['otel'] as object) };
        expect(otel).toMatchObject({ exporter: { http: { to: 'x' } }, log: false });
        expect(linesWithout(edited)).toEqual(linesWithout(text));
        const back = new Map(Object.keys(ours).map((key) => [key, before[key]]));
        expect(editTable(edited, 'otel', back, created)).toBe(text);
        expect(edit(edited)).toBe(edited);
      }),
      { numRuns: 500 },
    );
  });
});

/** Lines of neither of our keys, and without the header that may have been made for them. */
function linesWithout(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => !/^(exporter|log) = |^\[otel\]$|^$/.test(line));
}
