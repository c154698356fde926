import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import {
  bytesOf,
  dialectOf,
  readPieces,
  recorded,
  type Recorded,
} from '../../test/transcript-facts.js';
import { LineCutter } from './lines.js';

function cut(marks: readonly string[], ...pieces: readonly (string | Uint8Array)[]) {
  const told: string[] = [];
  const cutter = new LineCutter(marks, {
    line: (text, number) => told.push(`${number} ${text}`),
    fault: (number, reason) => told.push(`${number} bad: ${reason}`),
  });
  for (const piece of pieces) cutter.feed(Buffer.from(piece as string));
  return { told, cutter };
}

/** The bytes in pieces that end at these places. */
function piecesOf(bytes: Uint8Array, ends: readonly number[]): Uint8Array[] {
  const places = [...new Set([0, ...ends.map((end) => end % bytes.length), bytes.length])];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe('However its bytes are cut', () => {
  const names = Object.keys(recorded) as Recorded[];
  const wrong = Buffer.from(
    '{"put_tokens": 1,\n\u00e4{"usage" "tokens"\r\n\n  {"x":1}\nnonsense\n',
  );

  test.each(names)('%s says the same, and the same lines of it are bad', (name) => {
    const bytes = Buffer.concat([bytesOf(name), wrong, bytesOf(name).subarray(0, -9)]);
    const whole = readPieces(dialectOf(name), recorded[name], [bytes]);
    const ends = fc.array(fc.nat({ max: bytes.length - 1 }), { maxLength: 60 });
    fc.assert(
      fc.property(ends, (places) => {
        const pieces = piecesOf(bytes, places);
        expect(readPieces(dialectOf(name), recorded[name], pieces)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  test('even byte by byte', () => {
    const bytes = bytesOf('geminiResumed');
    const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    const whole = readPieces(dialectOf('geminiResumed'), recorded.geminiResumed, [bytes]);
    expect(readPieces(dialectOf('geminiResumed'), recorded.geminiResumed, single)).toEqual(whole);
  });
});

describe('A line', () => {
  test('that holds none of the marks is counted and not handed on', () => {
    const { told, cutter } = cut(['"a"', '"b"'], '{"c":1}\n{"b":2}\n{"c":3}\n{"a":4}\n');
    expect(told).toEqual(['2 {"b":2}', '4 {"a":4}']);
    expect(cutter.lines).toBe(4);
  });

  test('that is empty or blank says nothing', () => {
    expect(cut(['"a"'], '\n\r\n   \n\t\n').told).toEqual([]);
  });

  test('that ends as on Windows is the same line', () => {
    expect(cut(['"a"'], '{"a":1}\r\n').told).toEqual(['1 {"a":1}']);
  });

  test('that is cut off is bad, with or without a mark', () => {
    const bad = 'bad: the line is no JSON object, or only a part of one';
    expect(cut(['"a"'], '{"b":\n"b":1}\n[1]\n\u0000\u0000\n').told).toEqual([
      `1 ${bad}`,
      `2 ${bad}`,
      `3 ${bad}`,
      `4 ${bad}`,
    ]);
  });

  test('that is too long is bad, is not kept, and costs the next one nothing', () => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    const pieces = Array.from(
      { length: limits.transcriptLineBytesMax / piece.length + 1 },
      () => piece,
    );
    const { told, cutter } = cut(['"a"'], ...pieces, '\n{"a":2}\n');
    expect(told).toEqual(['1 bad: the line is longer than 32 MiB', '2 {"a":2}']);
    expect(cutter.unfinishedBytes).toBe(0);
  });
});

describe('The last line', () => {
  test('without its end waits while it is being written', () => {
    const { told, cutter } = cut(['"a"'], '{"a":1}\n{"a":');
    cutter.flush();
    expect(told).toEqual(['1 {"a":1}']);
    cutter.feed(Buffer.from('2}\n'));
    expect(told).toEqual(['1 {"a":1}', '2 {"a":2}']);
  });

  test('without its end is taken when it is whole, and its end is then no other line', () => {
    const { told, cutter } = cut(['"a"'], '{"a":1}\n{"a":2}');
    cutter.flush();
    cutter.feed(Buffer.from('\n{"a":3}\n'));
    expect(told).toEqual(['1 {"a":1}', '2 {"a":2}', '3 {"a":3}']);
  });
});

describe('A file', () => {
  test('may begin with the byte order mark of UTF-8', () => {
    expect(cut(['"a"'], '\uFEFF{"a":1}\n').told).toEqual(['1 {"a":1}']);
  });

  const utf16 = Buffer.from('{"a":1}\n{"a":2}\n', 'utf16le');
  test.each([
    ['with its byte order mark', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])],
    ['without', utf16],
    [
      'the other way round',
      Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()]),
    ],
  ])('in UTF-16 %s is named once', (_what, bytes) => {
    expect(cut(['"a"'], bytes).told).toEqual(['1 bad: the file is in UTF-16 and not in UTF-8']);
  });
});
