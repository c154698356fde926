import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { open, readdir, readlink, type FileHandle } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { limits } from '#kernel/limits.js';
import {
  decodePsLine,
  decodeStat,
  decodeVariable,
  decodeZeroEnded,
  psColumns,
  type ProcessRecord,
} from './processes.decode.js';

/**
 * The processes of this host. A pid alone is never enough to signal one: it may be another's by then.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: no other process that ever has this pid has the same. */
  readonly startMark: string;
}

export interface HostProcess extends ProcessIdentity {
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  readonly startedAt: Date;
  /** The program that runs; null where that may not be seen. */
  readonly executable: string | null;
  /** Its own name first. Where only `ps` tells of it, split at spaces. */
  readonly arguments: readonly string[];
  /** Whose it is, by the environment that it was started with. */
  readonly attemptId?: string;
  readonly taskId?: string;
}

/** A runner sets these for every agent that it starts, and the agent's children inherit them. */
export const attemptVariables = {
  attemptId: 'TRI_AGENT_ATTEMPT_ID',
  taskId: 'TRI_AGENT_TASK_ID',
} as const;

const isLinux = process.platform === 'linux';

/** Whether a process tells here of which attempt it is. */
export const processesTellTheirAttempt = isLinux;

/** What the kernel counts the start of a process in; the same on all that Node runs on. */
const TICK_MS = 10;
const bootId = isLinux ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';

let underWay: Promise<unknown> = Promise.resolve();
let next: Promise<readonly HostProcess[]> | undefined;

/**
 * All processes that this user may see and that have not ended, in no order, as they are after this was asked. Looking
 * is dear where there are many: who asks while others look shares the next look with all who wait.
 * @throws {Error} where the host does not tell, or where there are more than the limit.
 */
export function listProcesses(): Promise<readonly HostProcess[]> {
  next ??= underWay.then(() => {
    next = undefined;
    const list = isLinux ? listFromProc() : Promise.resolve().then(listFromPs);
    underWay = list.catch(() => undefined);
    return list;
  });
  return next;
}

/** Of a process that was just started; undefined when it has ended. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const found = lookAt(pid);
  return found && { pid, startMark: found.startMark };
}

/** Whether that very process still runs. */
export function sameProcess({ pid, startMark }: ProcessIdentity): boolean {
  return lookAt(pid)?.startMark === startMark;
}

/**
 * `sent`; `gone`: it has ended, and its pid may be another's by now; `protected`: it is this process,
 * one above it, or the first of the host; `not-allowed`: it is another user's.
 */
export type Signalled = 'sent' | 'gone' | 'protected' | 'not-allowed';

/** Signals that very process and no other: it is looked at right before. */
export function signalIfSame(identity: ProcessIdentity, signal: NodeJS.Signals): Signalled {
  if (isProtected(identity.pid)) return 'protected';
  if (!sameProcess(identity)) return 'gone';
  try {
    process.kill(identity.pid, signal);
    return 'sent';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'not-allowed';
    throw error;
  }
}

/** Zero and less would be whole groups of processes. */
export function isProtected(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return true;
  const seen = new Set<number>();
  for (let own = process.pid; own > 1 && !seen.has(own); own = lookAt(own)?.parentPid ?? 0) {
    if (own === pid) return true;
    seen.add(own);
  }
  return false;
}

/**
 * Whether that very process runs, is this user's and may be signalled: what a process that somebody
 * else names has to be before it is believed.
 */
export function isOwnProcess(identity: ProcessIdentity): boolean {
  if (isProtected(identity.pid) || !sameProcess(identity)) return false;
  return userOf(identity.pid) === process.geteuid?.();
}

function userOf(pid: number): number | undefined {
  if (isLinux) return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  const [uid = ''] = askPs(['-p', String(pid)], 'uid=');
  return /^\s*\d+\s*$/.test(uid) ? Number(uid) : undefined;
}

interface Looked {
  readonly parentPid: number;
  readonly startMark: string;
}

function lookAt(pid: number): Looked | undefined {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  if (!isLinux) {
    const [line = ''] = askPs(['-p', String(pid)]);
    const found = decodePsLine(line);
    return found && { parentPid: found.parentPid, startMark: found.started };
  }
  try {
    const found = decodeStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return found && { parentPid: found.parentPid, startMark: markOf(found) };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function markOf({ started }: ProcessRecord): string {
  return `${bootId}:${started}`;
}

async function listFromProc(): Promise<HostProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  mustBeFew(pids.length);
  // Of this process both are known: when it started, and how the kernel says that.
  const own = decodeStat(readFileSync('/proc/self/stat', 'utf8'));
  const startOfTicksMs = performance.timeOrigin - Number(own?.started ?? 0) * TICK_MS;
  const found: HostProcess[] = [];
  for (let from = 0; from < pids.length; from += limits.processesReadAtOnceMax) {
    const some = pids.slice(from, from + limits.processesReadAtOnceMax);
    for (const one of await Promise.all(some.map((pid) => readProcess(pid, startOfTicksMs)))) {
      if (one !== undefined) found.push(one);
    }
  }
  return found;
}

/**
 * Its identity is read first: where another process takes the pid while the rest is read, a signal
 * meets the identity of the one that is gone, and is not sent.
 */
async function readProcess(pid: number, startOfTicksMs: number): Promise<HostProcess | undefined> {
  const folder = `/proc/${pid}`;
  const stat = await readStart(`${folder}/stat`, limits.processLineBytesMax, isGone);
  const record = stat === undefined ? undefined : decodeStat(stat);
  if (record === undefined) return undefined;
  const [line = '', environment = '', executable] = await Promise.all([
    readStart(`${folder}/cmdline`, limits.processLineBytesMax, isNotTold),
    readStart(`${folder}/environ`, limits.processEnvironmentBytesMax, isNotTold),
    readlink(`${folder}/exe`).catch((error: unknown) => {
      if (!isNotTold(error)) throw error;
    }),
  ]);
  const variables = decodeZeroEnded(environment);
  const attemptId = decodeVariable(variables, attemptVariables.attemptId);
  const taskId = decodeVariable(variables, attemptVariables.taskId);
  const { parentPid, groupId, sessionId, started } = record;
  return {
    ...{ pid, parentPid, groupId, sessionId, startMark: markOf(record) },
    startedAt: new Date(startOfTicksMs + Number(started) * TICK_MS),
    // An upgrade replaces the file of a program that runs.
    executable: executable?.replace(/ \(deleted\)$/, '') ?? null,
    arguments: decodeZeroEnded(line),
    ...(attemptId !== undefined && { attemptId }),
    ...(taskId !== undefined && { taskId }),
  };
}

/** The beginning of a file of the kernel, which has no size before it is read. */
async function readStart(
  path: string,
  bytesMax: number,
  isNone: (error: unknown) => boolean,
): Promise<string | undefined> {
  const step = 64 * 1024;
  const pieces: Buffer[] = [];
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    for (let size = 0; size < bytesMax;) {
      const piece = Buffer.allocUnsafe(Math.min(step, bytesMax - size));
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) break;
      pieces.push(piece.subarray(0, bytesRead));
      size += bytesRead;
    }
  } catch (error) {
    if (isNone(error)) return undefined;
    throw error;
  } finally {
    await file?.close();
  }
  return Buffer.concat(pieces).toString('utf8');
}

function listFromPs(): HostProcess[] {
  const lines = askPs(['-ax']);
  mustBeFew(lines.length);
  return lines.flatMap((line) => {
    const found = decodePsLine(line);
    if (found === undefined) return [];
    const { started, command, ...rest } = found;
    const startedAt = new Date(`${started} UTC`);
    return [
      {
        ...{ ...rest, startMark: started, startedAt, executable: null },
        arguments: command.split(' '),
      },
    ];
  });
}

/** Lines of `ps`, with times that no change of clocks and no language alters. */
function askPs(which: readonly string[], columns = psColumns): string[] {
  const { error, stdout } = spawnSync('ps', ['-ww', ...which, '-o', columns], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    maxBuffer: limits.processListBytesMax,
    timeout: limits.processListMs,
  });
  if (error !== undefined) {
    throw new Error(`This host does not tell its processes: ps failed (${error.message}).`);
  }
  return stdout.split('\n').filter((line) => line.trim() !== '');
}

function mustBeFew(count: number): void {
  if (count <= limits.processesMax) return;
  throw new Error(`This host has more processes than are looked at (${limits.processesMax}).`);
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}

/** Not a want of file handles and the like: then it may well run. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes(String(codeOf(error)));
}

function isNotTold(error: unknown): boolean {
  return isGone(error) || ['EACCES', 'EPERM', 'EINVAL'].includes(String(codeOf(error)));
}
