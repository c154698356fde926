import fc from 'fast-check';
import { editHooks } from './hooks-edit.js';

const ours = { hooks: [{ command: 'ours' }] };
const newer = { hooks: [{ command: 'ours', timeout: 2 }] };
const isOurs = (item: unknown): boolean =>
  JSON.stringify(item).startsWith('{"hooks":[{"command":"ours"');

function edit(text: string, changes: Readonly<Record<string, unknown>>): string | undefined {
  return editHooks(text, new Map(Object.entries(changes)), isOurs);
}

describe('An item of ours among the hooks in JSON text', () => {
  test('is made with all that it needs, indented as its neighbours', () => {
    expect(edit('{\n  "a": 1\n}\n', { Stop: { hooks: [] } })).toBe(
      '{\n  "a": 1,\n  "hooks": {\n    "Stop": [\n      {\n        "hooks": []\n      }\n    ]\n  }\n}\n',
    );
  });

  test('stands behind those of others, which stay to the letter', () => {
    expect(edit('{"hooks":{"Stop":[ {"x":1.50} ],"Other":[]}}', { Stop: ours })).toBe(
      '{"hooks":{"Stop":[ {"x":1.50},{"hooks":[{"command":"ours"}]} ],"Other":[]}}',
    );
  });

  test('is replaced where it stands', () => {
    const text = `{"hooks":{"Stop":[${JSON.stringify(ours)},{"theirs":1}]}}`;
    expect(edit(text, { Stop: newer })).toBe(
      `{"hooks":{"Stop":[${JSON.stringify(newer)},{"theirs":1}]}}`,
    );
  });

  test.each([
    ['and its list stays', [], '{"hooks":{"Stop":[]}}'],
    ['and its list goes', {}, '{"hooks":{}}'],
    ['and all hooks go', undefined, '{}'],
  ])('is taken out, %s', (_what, value, after) => {
    expect(edit(`{"hooks":{"Stop":[${JSON.stringify(ours)}]}}`, { Stop: value })).toBe(after);
  });

  test.each([[[]], [{}], [undefined]])(
    'is taken out from among those of others, and nothing else goes: %j',
    (value) => {
      const text = `{"hooks":{"Stop":[{"a":1}, ${JSON.stringify(ours)}, {"b":2}]}}`;
      expect(edit(text, { Stop: value })).toBe('{"hooks":{"Stop":[{"a":1}, {"b":2}]}}');
    },
  );

  test.each(['{"hooks":[]}', '{"hooks":"none"}', '{"hooks":{"Stop":{}}}'])(
    'is not put into what is no list of hooks: %s',
    (text) => {
      expect(edit(text, { Stop: ours })).toBeUndefined();
    },
  );

  test('goes in and out without a trace, whatever hooks there are and however they are written', () => {
    const events = fc.constantFrom('Stop', 'SessionStart', 'constructor', 'Notification');
    const lists = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 3 });
    const hooks = fc.option(fc.dictionary(events, lists), { nil: undefined });
    const others = fc.dictionary(
      fc.string().filter((key) => key !== 'hooks' && key !== '__proto__'),
      fc.jsonValue(),
    );
    const indents = fc.constantFrom(undefined, 2, '\t');
    fc.assert(
      fc.property(
        others,
        hooks,
        indents,
        fc.uniqueArray(events),
        (other, lists, indent, touched) => {
          const text = JSON.stringify({ ...other, hooks: lists }, null, indent);
          const before = (event: string): unknown => {
            if (lists === undefined) return undefined;
            return Object.hasOwn(lists, event) ? [] : {};
          };
          const put = edit(text, Object.fromEntries(touched.map((event) => [event, ours]))) ?? '';
          for (const event of touched) {
            const { hooks } = JSON.parse(put) as { hooks: Record<string, unknown[]> };
            const theirs = new Map(Object.entries(lists ?? {})).get(event) ?? [];
            expect(hooks[event]).toEqual([...theirs, ours]);
          }
          expect(
            edit(put, Object.fromEntries(touched.map((event) => [event, before(event)]))),
          ).toBe(text);
        },
      ),
    );
  });
});
