import fc from 'fast-check';
import {
  formatBytes,
  formatCost,
  formatCount,
  formatFill,
  formatNanoUsd,
  formatTokens,
  parseUsd,
} from './numbers.js';
import { eventLine } from './event-line.js';
import { paintFor } from './paint.js';
import { tableLines } from './table.js';
import { clean, clip } from '#platform/harmless-text.js';
import { safeJson, shortIdLength } from './text.js';
import { formatAge, formatDuration, formatTime, parseMoment } from './times.js';
import { anEvent } from '../../test/samples.js';

const plain = paintFor({ env: {}, isTTY: false });
const now = new Date('2026-11-20T12:00:00.000Z');

/** What a hostile agent might call its model, each as it must be shown. */
const payloads: readonly (readonly [string, string])[] = [
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u001b]0;title\u0007after', 'after'],
  ['\u001b]8;;http://evil.example\u001b\\link\u001b]8;;\u001b\\', 'link'],
  ['\u009b31mred', 'red'],
  ['a\rb\nc\td', 'a b c d'],
  ['back\b\b\bspace\u0000\u007f', 'backspace'],
  ['safe\u202egpj.exe', 'safegpj.exe'],
  ['\u2066iso\u2069lated\u200f\u061c', 'isolated'],
  ['in\u200bvis\ufeffible', 'invisible'],
  ['line\u2028and\u2029paragraph', 'line and paragraph'],
  ['tag\u{e0041}s', 'tags'],
  ['lone\ud800surrogate', 'lonesurrogate'],
  ['\u001b\u001b[2J[2J', '[2J'],
];

const dangerous = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe('Text from agents', () => {
  test.each(payloads)('%j is shown without what acts on a terminal', (payload, shown) => {
    expect(clean(payload)).toBe(shown);
  });

  test('is harmless in a table and in the line of an event, wherever it stands', () => {
    for (const [payload] of payloads) {
      const table = tableLines([{ head: 'MODEL', cell: () => payload }], [0], plain);
      const line = eventLine(
        anEvent(1, {
          type: payload,
          stream: payload,
          position: payload,
          data: { agent: payload, sessionId: payload, [payload]: payload, nested: { payload } },
        }),
        plain,
      );
      expect([...table, line].join('\n')).not.toMatch(dangerous);
    }
  });

  test('is harmless as JSON, which still says the same', () => {
    for (const [payload] of payloads) {
      const json = safeJson({ [payload]: payload });
      expect(json).not.toMatch(dangerous);
      expect(JSON.parse(json)).toEqual({ [payload]: payload });
    }
  });

  test('is cut where it is too long, between characters', () => {
    expect(clip('abcdef', 4)).toBe('abc…');
    expect(clip('😀😀😀', 2)).toBe('😀…');
    expect(clip('abcd', 4)).toBe('abcd');
  });
});

describe('Numbers', () => {
  test.each([
    [0, '0'],
    [9_876, '9,876'],
    [12_345, '12.3k'],
    [99_960, '100k'],
    [999_499, '999k'],
    [999_500, '1.00M'],
    [1_234_567, '1.23M'],
    [12_345_678_901, '12.3G'],
  ])('%d tokens are %s', (count, shown) => {
    expect(formatTokens(count)).toBe(shown);
  });

  test('counts are grouped by thousands, as Intl does it', () => {
    const intl = new Intl.NumberFormat('en-US');
    const counts = fc.oneof(fc.bigInt(), fc.maxSafeInteger());
    fc.assert(
      fc.property(counts, (it) => {
        expect(formatCount(it)).toBe(intl.format(it));
      }),
    );
  });

  test.each([
    ['0.037258500', '$0.0373'],
    ['0.000000000', '$0.0000'],
    ['0.000000001', '<$0.0001'],
    ['0.000050000', '$0.0001'],
    ['9.999900000', '$9.9999'],
    ['9.999990000', '$10.0000'],
    ['12.345000000', '$12.35'],
    ['1234567.890000000', '$1,234,567.89'],
    ['-0.500000000', '-$0.5000'],
    ['9007199254740993.000000001', '–'],
  ])('%s dollars are %s', (costUsd, shown) => {
    expect(formatCost(costUsd)).toBe(shown);
  });

  test('an unknown price is never nought, and a partly known one is marked', () => {
    expect(formatCost(null)).toBe('–');
    expect(formatCost(null, 3)).toBe('?');
    expect(formatCost('0.100000000', 3)).toBe('$0.1000+?');
  });

  test('dollars are added without loss', () => {
    expect(parseUsd('0.1')).toBe(100_000_000n);
    expect(parseUsd('1e3')).toBeUndefined();
    expect(formatNanoUsd((parseUsd('0.1') ?? 0n) + (parseUsd('0.2') ?? 0n))).toBe('$0.3000');
  });

  test('a context is a bar of ten blocks, full at most', () => {
    expect(formatFill(0.42)).toBe('████░░░░░░  42%');
    expect(formatFill(1.3)).toBe('██████████ 130%');
    expect(formatFill(0)).toBe('░░░░░░░░░░   0%');
  });

  test('bytes have a unit', () => {
    expect([formatBytes(512), formatBytes(268_435_456), formatBytes(1_610_612_736)]).toEqual([
      '512 B',
      '256 MiB',
      '1.5 GiB',
    ]);
  });
});

describe('Times', () => {
  test.each([
    [-5, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [7_500_000, '2h 5m'],
    [273_600_000, '3d 4h'],
  ])('%d ms are %s', (ms, shown) => {
    expect(formatDuration(ms)).toBe(shown);
  });

  test('are UTC, and a dash where there is none', () => {
    expect(formatTime('2026-11-20T18:52:01.123+02:00')).toBe('2026-11-20 16:52:01Z');
    expect([formatTime(null), formatTime('soon'), formatAge(undefined, now)]).toEqual([
      '–',
      '–',
      '–',
    ]);
  });

  test.each([
    ['24h', '2026-11-19T12:00:00.000Z'],
    ['90s', '2026-11-20T11:58:30.000Z'],
    ['2w', '2026-11-06T12:00:00.000Z'],
    ['today', '2026-11-20T00:00:00.000Z'],
    ['yesterday', '2026-11-19T00:00:00.000Z'],
    ['2026-11-18', '2026-11-18T00:00:00.000Z'],
    ['2026-11-18T09:30', '2026-11-18T09:30:00.000Z'],
    ['2026-11-18T09:30:00+01:00', '2026-11-18T08:30:00.000Z'],
  ])('%s means %s', (text, moment) => {
    expect(parseMoment(text, now)?.toISOString()).toBe(moment);
  });

  test.each([
    ['today', '2026-11-20T11:00:00.000Z'],
    ['yesterday', '2026-11-19T11:00:00.000Z'],
    ['2026-09-27', '2026-09-26T12:00:00.000Z'],
    ['2026-09-28', '2026-09-27T11:00:00.000Z'],
    ['2026-11-18T09:30', '2026-11-17T20:30:00.000Z'],
    ['2026-11-18T09:30Z', '2026-11-18T09:30:00.000Z'],
    ['24h', '2026-11-19T12:00:00.000Z'],
  ])('%s means %s in Auckland', (text, moment) => {
    expect(parseMoment(text, now, 'Pacific/Auckland')?.toISOString()).toBe(moment);
  });

  test.each(['2026-11-18Z', '', 'soon', '24', '2026-13-40', '1 h', '20.11.2026'])(
    '%j means no moment',
    (text) => {
      expect(parseMoment(text, now)).toBeUndefined();
    },
  );
});

describe('A table', () => {
  const columns = [
    { head: 'ID', cell: (row: string) => row },
    { head: 'WIDE', cell: () => 'w'.repeat(30), dispensable: 1 },
  ];

  test('aligns its columns and leaves no blanks at the ends of lines', () => {
    expect(tableLines(columns, ['a'], plain)).toEqual(['ID  WIDE', `a   ${'w'.repeat(30)}`]);
  });

  test('leaves out what matters least where the terminal is narrow', () => {
    expect(tableLines(columns, ['a'], plain, 20)).toEqual(['ID', 'a']);
  });

  test('has colours in a terminal, unless NO_COLOR is set', () => {
    const cell = [{ head: 'A', cell: () => 'x', style: () => 'red' as const }];
    const lines = (env: Record<string, string>): string =>
      tableLines(cell, [0], paintFor({ env, isTTY: true })).join();
    expect(lines({})).toContain('\u001b[31mx');
    expect(lines({ NO_COLOR: '1' })).toBe('A,x');
  });

  test('shows ids as short as they differ', () => {
    expect(shortIdLength(['0123456789', 'abcdefghij'])).toBe(8);
    expect(shortIdLength(['0123456789', '0123456788'])).toBe(10);
    expect(shortIdLength(['same', 'same', 'other'])).toBe(8);
  });
});
