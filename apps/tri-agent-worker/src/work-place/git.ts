import { spawn, type ChildProcess } from 'node:child_process';
import { limits } from '#kernel/limits.js';

export interface GitCall {
  /** The repository, where it is known; otherwise git looks in `cwd`, and nowhere above. */
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly cwd: string;
  readonly input?: string | Buffer;
  readonly ms?: number;
  readonly outputBytesMax?: number;
}

export interface GitOutcome {
  readonly command: string;
  /** Null when it was ended, or did not start. */
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Its output went beyond the limit; stdout is the beginning. */
  readonly isCut: boolean;
  readonly isLate: boolean;
}

/** git said no. What it said is for `explain`. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure';

  constructor(readonly outcome: GitOutcome) {
    super(`git ${outcome.command} failed: ${outcome.stderr}`);
  }
}

/**
 * The repository may come from anywhere and an agent has been in its working tree: no hook and no file
 * monitor runs, nothing is tidied up behind its owner's back, and no submodule is entered.
 */
const settings = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.safecrlf=false',
  'core.askPass=',
  'submodule.recurse=false',
  'gc.auto=0',
  'maintenance.auto=false',
].flatMap((setting) => ['-c', setting]);

/** Who starts the worker may have git variables set, and the worker's token is not git's business. */
function environmentOf(call: GitCall): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(GIT|TRI_AGENT)_/.test(name));
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_ALLOW_PROTOCOL: 'https:ssh:git',
    GIT_AUTHOR_NAME: 'tri-agent',
    GIT_AUTHOR_EMAIL: 'tri-agent@localhost',
    GIT_COMMITTER_NAME: 'tri-agent',
    GIT_COMMITTER_EMAIL: 'tri-agent@localhost',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_CEILING_DIRECTORIES: call.cwd.replace(/\/[^/]*$/, ''),
    ...(call.gitDir === undefined ? {} : { GIT_DIR: call.gitDir }),
    ...(call.workTree === undefined ? {} : { GIT_WORK_TREE: call.workTree }),
  };
}

/** Runs git without a shell, its output and time limited, and tells how it went. */
export async function tryGit(args: readonly string[], call: GitCall): Promise<GitOutcome> {
  const command = args[0] ?? '';
  // A group of its own: its helpers end with it, and it has no terminal to ask at.
  const child = spawn('git', [...settings, ...args], {
    cwd: call.cwd,
    env: environmentOf(call),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let isLate = false;
  let ending: NodeJS.Timeout | undefined;
  const end = () => {
    signal(child, 'SIGTERM');
    ending ??= setTimeout(() => {
      signal(child, 'SIGKILL');
      // Whoever left the group may still hold them open.
      child.stdout.destroy();
      child.stderr.destroy();
    }, limits.gitKillGraceMs);
  };
  const late = setTimeout(() => {
    isLate = true;
    end();
  }, call.ms ?? limits.gitMs);
  const stdout = new Beginning(child.stdout, call.outputBytesMax ?? limits.gitOutputBytesMax, end);
  const stderr = new Beginning(child.stderr, limits.smallBodyBytesMax, end);
  // What git did not want to read is no fault.
  child.stdin.on('error', () => undefined).end(call.input ?? '');
  try {
    const { exitCode, fault } = await ended(child);
    const told = fault ?? stderr.bytes().toString();
    const isCut = stdout.isCut || stderr.isCut;
    return { command, exitCode, stdout: stdout.bytes(), stderr: told, isCut, isLate };
  } finally {
    clearTimeout(late);
    clearTimeout(ending);
  }
}

/** @throws {GitFailure} when it did not succeed, or said more than it may. */
export async function git(args: readonly string[], call: GitCall): Promise<Buffer> {
  const outcome = await tryGit(args, call);
  if (outcome.exitCode !== 0 || outcome.isCut) throw new GitFailure(outcome);
  return outcome.stdout;
}

/** The one line that git prints, such as an object's name or a path. */
export async function gitLine(args: readonly string[], call: GitCall): Promise<string> {
  return (await git(args, call)).toString().replace(/\n$/, '');
}

async function ended(
  child: ChildProcess,
): Promise<{ readonly exitCode: number | null; readonly fault?: string }> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) => {
      resolve({ exitCode: null, fault: message });
    });
    child.once('close', (exitCode) => {
      resolve({ exitCode });
    });
  });
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Keeps the beginning of a stream, and tells when there is more. */
class Beginning {
  #parts: Buffer[] = [];
  #bytes = 0;
  isCut = false;

  constructor(stream: NodeJS.ReadableStream, bytesMax: number, onCut: () => void) {
    stream.on('data', (part: Buffer) => {
      const room = bytesMax - this.#bytes;
      if (part.length > room && !this.isCut) {
        this.isCut = true;
        onCut();
      }
      if (room <= 0) return;
      this.#parts.push(part.subarray(0, room));
      this.#bytes += Math.min(part.length, room);
    });
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
