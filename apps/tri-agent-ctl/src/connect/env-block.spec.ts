import fc from 'fast-check';
import { editEnvBlock, envValues, hasEnvBlock } from './env-block.js';

const added = new Map([
  ['A', '1'],
  ['URL', 'http://127.0.0.1:4318'],
]);
const removed = new Map([...added.keys()].map((key) => [key, undefined]));

describe('A block of variables at the end of a .env file', () => {
  test.each([
    ['an empty file', ''],
    ['a file', 'KEY=secret\n'],
    ['a missing last line break', '# mine\nexport KEY="a b"'],
    ['the line ends of Windows', 'KEY=1\r\nB=2\r\n'],
    ['a variable of the same name', 'A=mine\nB=2\n'],
    ['blank lines', '\n\n'],
  ])('is put behind %s and taken out without a trace', (_what, text) => {
    const edited = editEnvBlock(text, added) ?? '';
    expect(envValues(edited)).toEqual({ ...envValues(text), A: '1', URL: 'http://127.0.0.1:4318' });
    expect(edited.startsWith(text.trimEnd())).toBe(true);
    const back = new Map([...removed, ...Object.entries(envValues(text))]);
    expect(editEnvBlock(edited, back)).toBe(text);
  });

  test('comes out once, however often it is written', () => {
    const once = editEnvBlock('KEY=1\n', added) ?? '';
    expect(editEnvBlock(once, added)).toBe(once);
    expect(editEnvBlock(once, new Map([['A', '2']]))).toBe(
      once.replace('A=1\n', '').replace('8\n', '8\nA=2\n'),
    );
  });

  test('is moved behind what was added since', () => {
    const edited = `${editEnvBlock('KEY=1\n', added) ?? ''}A=later\n`;
    expect(envValues(edited)).toMatchObject({ A: 'later' });
    expect(envValues(editEnvBlock(edited, added) ?? '')).toMatchObject({ A: '1', KEY: '1' });
  });

  test('keeps what somebody wrote into it', () => {
    const edited = (editEnvBlock('', added) ?? '').replace('A=1', '# a word\nMINE=2');
    expect(hasEnvBlock(editEnvBlock(edited, removed) ?? '')).toBe(true);
    expect(editEnvBlock(edited, removed)).toContain('# a word\nMINE=2\n');
  });

  test('is not put where it would be a part of something else', () => {
    expect(editEnvBlock('KEY="not closed\n', added)).toBeUndefined();
  });

  test('leaves any file as it was', () => {
    const line = fc.constantFrom('A=0', 'B=2', '# c', '', 'export C = "x # y"', "D='z'", 'rubbish');
    const newline = fc.constantFrom('\n', '\r\n');
    const file = fc
      .tuple(fc.array(line), newline, fc.boolean())
      .map(([rows, end, last]) => rows.join(end) + (last ? end : ''));
    fc.assert(
      fc.property(file, (text) => {
        const edited = editEnvBlock(text, added) ?? '(refused)';
        expect(envValues(edited)).toMatchObject(Object.fromEntries(added));
        const back = new Map([...removed, ...Object.entries(envValues(text))]);
        expect(editEnvBlock(edited, back)).toBe(text);
      }),
    );
  });
});
