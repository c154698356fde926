import fc from 'fast-check';
import { editObjectMember, type JsonObject } from './json-edit.js';

function edit(text: string, changes: Record<string, unknown>, removeWhenEmpty = false) {
  return editObjectMember(text, 'env', new Map(Object.entries(changes)), removeWhenEmpty);
}

describe('Editing a member of JSON text', () => {
  test('adds to what is there and leaves the rest to the letter', () => {
    const text = '{\n\t"allow": ["a",  "b"],\n\t"env": {\n\t\t"A": "1"\n\t},\n\t"n": 1.50\n}\n';
    expect(edit(text, { B: '2' })).toBe(
      '{\n\t"allow": ["a",  "b"],\n\t"env": {\n\t\t"A": "1",\n\t\t"B": "2"\n\t},\n\t"n": 1.50\n}\n',
    );
  });

  test('makes the member at the end, indented as its neighbours', () => {
    expect(edit('{\n    "a": 1\n}', { B: '2' })).toBe(
      '{\n    "a": 1,\n    "env": {\n        "B": "2"\n    }\n}',
    );
  });

  test.each([
    ['{}\n', '{\n  "env": {\n    "B": "2"\n  }\n}\n'],
    ['{"a":1}', '{"a":1,"env": {"B":"2"}}'],
    ['{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "env": {\r\n    "B": "2"\r\n  }\r\n}\r\n'],
    ['{\n  "env": {}\n}', '{\n  "env": {\n    "B": "2"\n  }\n}'],
  ])('writes %j as %j', (before, after) => {
    expect(edit(before, { B: '2' })).toBe(after);
  });

  test('replaces a value where it stands', () => {
    expect(edit('{"env":{"A":"\\"}{","B":"x","C":"3"}}', { B: '2' })).toBe(
      '{"env":{"A":"\\"}{","B":"2","C":"3"}}',
    );
  });

  test.each([
    ['{"env":{"B":"2","C":"3"}}', '{"env":{"C":"3"}}'],
    ['{"env":{"A":"1","B":"2"}}', '{"env":{"A":"1"}}'],
    ['{"env":{"B":"2"},"x":0}', '{"x":0}'],
    ['{"x":0,"env":{"B":"2"}}', '{"x":0}'],
    ['{"env":{"B":"2"}}', '{}'],
  ])('removes from %j, leaving %j', (before, after) => {
    expect(edit(before, { B: undefined }, true)).toBe(after);
  });

  test('refuses what would not come out as meant: a key that stands twice', () => {
    expect(edit('{"env":{"B":"1","B":"2"}}', { B: undefined })).toBeUndefined();
  });

  test('adds and takes back without a trace, whatever the file holds and however it is written', () => {
    const indents = fc.constantFrom(undefined, 1, 2, 4, '\t');
    const keys = fc.string().filter((key) => key !== 'env' && key !== '__proto__');
    const contents = fc.dictionary(keys, fc.jsonValue());
    fc.assert(
      fc.property(contents, indents, (content, indent) => {
        const text = JSON.stringify(content, null, indent);
        const edited = edit(text, { A: '1', B: '"}{' });
        expect(JSON.parse(edited ?? '')).toEqual({
          ...(JSON.parse(text) as JsonObject),
          env: { A: '1', B: '"}{' },
        });
        expect(edit(edited ?? '', { A: undefined, B: undefined }, true)).toBe(text);
      }),
    );
  });
});
