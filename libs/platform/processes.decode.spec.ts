import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import {
  decodePsLine,
  decodeStat,
  decodeVariable,
  decodeZeroEnded,
  isKernelThread,
  decodeRealTimeLimit,
} from './processes.decode.js';

const stat = (name: string, state = 'S', threads = 1) =>
  `4711 (${name}) ${state} 12 4700 4600 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 ${threads} 0 987654 1 2\n`;
const record = { pid: 4711, parentPid: 12, groupId: 4700, sessionId: 4600, started: '987654' };

describe('/proc/<pid>/stat', () => {
  test('is read whatever the name of the program holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(decodeStat(stat(name))).toEqual(record);
      }),
    );
    expect(decodeStat(stat('a) Z 1 1 1 (b\n'))).toEqual(record);
  });

  test.each(['Z', 'X', 'x'])('in state %s is of a process that has ended', (state) => {
    expect(decodeStat(stat('node', state))).toBeUndefined();
  });

  test('is of one that runs where only its first thread has ended', () => {
    expect(decodeStat(stat('go', 'Z', 4))).toEqual(record);
  });

  test('tells a part of the kernel from a program that only has its name', () => {
    expect(isKernelThread(stat('kworker/0:1'))).toBe(false);
    expect(isKernelThread(stat('kworker) 2 0 0 0 -1 69238880 (0:1'))).toBe(false);
    expect(isKernelThread(stat('kworker/0:1').replace('4194560', '69238880'))).toBe(true);
  });

  test('that is none is of nothing', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        expect(decodeStat(text)).toBeUndefined();
      }),
    );
    expect(decodeStat(stat('node').slice(0, 50))).toBeUndefined();
  });
});

describe('A command line or an environment', () => {
  test('is read to its parts, without what a title leaves behind', () => {
    expect(decodeZeroEnded('node\0a b\0\0c\0')).toEqual(['node', 'a b', '', 'c']);
    expect(decodeZeroEnded('claude\0\0\0\0\0')).toEqual(['claude']);
  });

  test('tells a variable by its whole name, once, and only what can be an id', () => {
    const environment = ['XA=1', 'B=A=2', 'A=3', 'A=4', 'AB=5', 'EMPTY=', `L=${'x'.repeat(201)}`];
    expect(decodeVariable(environment, 'A')).toBe('3');
    expect(decodeVariable(environment, 'EMPTY')).toBeUndefined();
    expect(decodeVariable(environment, 'NONE')).toBeUndefined();
    expect(limits.identifierCharactersMax).toBe(200);
    expect(decodeVariable(environment, 'L')).toBeUndefined();
  });
});

describe('A line of ps', () => {
  const started = 'Sat Nov 21 14:52:32 2026';

  test('is read as Linux and as macOS write it', () => {
    expect(
      decodePsLine(`    101      1    101    100 Ss ${started} node  /usr/bin/gemini -p Sun Nov`),
    ).toEqual({
      ...{ pid: 101, parentPid: 1, groupId: 101, sessionId: 100, started },
      command: 'node  /usr/bin/gemini -p Sun Nov',
    });
    const mac = decodePsLine('  431     1   431 7f8a12  S+   Sun Nov  1 04:02:03 2026     claude');
    expect(mac).toMatchObject({ sessionId: 0, started: 'Sun Nov 1 04:02:03 2026' });
    expect(mac?.command).toBe('claude');
  });

  test('of what has ended, or that is none, tells nothing', () => {
    expect(decodePsLine(`101 1 101 100 Z ${started} [node] <defunct>`)).toBeUndefined();
    expect(decodePsLine('ps: illegal option')).toBeUndefined();
    expect(decodePsLine('')).toBeUndefined();
  });
});

test('The soft limit of real time is read as it is written', () => {
  const line = 'Max realtime timeout      4503599627370496     unlimited            us        \n';
  expect(decodeRealTimeLimit(`Max cpu time  1  2  seconds\n${line}`)).toBe('4503599627370496');
  expect(decodeRealTimeLimit(line.replace('4503599627370496', 'unlimited'))).toBeUndefined();
});
