import { limits } from '#kernel/limits.js';

/** What an operating system writes about a process, as values. */

/** A process as one line of it is told. */
export interface ProcessRecord {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** When it started, in the words of the operating system. */
  readonly started: string;
}

const defunct = /^[ZXx]/;

/**
 * `/proc/<pid>/stat`. The name of the program stands in brackets and may itself hold brackets, spaces
 * and line ends; all that follows it is numbers, so that the last bracket is the one that closes it.
 * @returns undefined for a process that has ended and was not waited for; `started` is clock ticks
 * since the host started.
 */
export function decodeStat(text: string): ProcessRecord | undefined {
  const [state = '', ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const numbers = rest.map(Number);
  const [parentPid = NaN, groupId = NaN, sessionId = NaN] = numbers;
  const threads = numbers[16] ?? NaN;
  const started = rest[18] ?? '';
  const pid = Number.parseInt(text, 10);
  const whole = [pid, parentPid, groupId, sessionId, threads].every(Number.isSafeInteger);
  if (!whole || !/^\d+$/.test(started)) return undefined;
  // The first thread of a program may end before the others do: that program is running.
  if (defunct.test(state) && threads <= 1) return undefined;
  return { pid, parentPid, groupId, sessionId, started };
}

/** Of `/proc/<pid>/stat`: a part of the kernel itself, which has no arguments, no environment and no program. */
export function isKernelThread(text: string): boolean {
  const flags = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[6]);
  return (flags & kernelThreadFlag) !== 0;
}

const kernelThreadFlag = 0x0020_0000;

/** Arguments or settings with a zero byte behind each. */
export function decodeZeroEnded(text: string): string[] {
  // A program that gives itself a title leaves zeros where its arguments were.
  return text.replace(/\0+$/, '').split('\0');
}

/** The value of a variable in `/proc/<pid>/environ`, where it can be an id of this house. */
export function decodeVariable(environment: readonly string[], name: string): string | undefined {
  const value = environment.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1);
  if (value === undefined || value === '') return undefined;
  return value.length <= limits.identifierCharactersMax ? value : undefined;
}

/** The columns in which `ps` is asked for processes, the same on BSD, macOS and Linux. */
export const psColumns = 'pid=,ppid=,pgid=,sess=,state=,lstart=,command=';

const psLine = new RegExp(
  [
    /^\s*(?<pid>\d+)\s+(?<parentPid>\d+)\s+(?<groupId>\d+)\s+(?<sessionId>\S+)/,
    /\s+(?<state>\S+)\s+(?<started>\w{3} \w{3} +\d+ [\d:]{8} \d{4})\s+(?<command>.*)$/,
  ]
    .map(({ source }) => source)
    .join(''),
);

/** A line of `ps` in those columns; undefined for what has ended and for what is no such line. */
export function decodePsLine(line: string): (ProcessRecord & { command: string }) | undefined {
  const found = psLine.exec(line)?.groups;
  if (found === undefined || defunct.test(found.state ?? '')) return undefined;
  return {
    pid: Number(found.pid),
    parentPid: Number(found.parentPid),
    groupId: Number(found.groupId),
    // macOS tells an address here: it is no pid and leads nobody astray.
    sessionId: /^\d+$/.test(found.sessionId ?? '') ? Number(found.sessionId) : 0,
    started: (found.started ?? '').replace(/ +/g, ' '),
    command: found.command ?? '',
  };
}

/** `/proc/<pid>/limits`: the soft limit of real time, in microseconds, as it is written. */
export function decodeRealTimeLimit(text: string): string | undefined {
  return /^Max realtime timeout +(\d+) /m.exec(text)?.[1];
}
