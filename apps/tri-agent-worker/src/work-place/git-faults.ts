import { limits } from '#kernel/limits.js';
import { GitFailure, tryGit, type GitOutcome } from './git.js';
import { WorkPlaceError } from './work-place-error.js';

interface Fault {
  readonly signs: RegExp;
  readonly sentence: string;
  readonly retryable: boolean;
}

/** What git says, from the special to the general. A fault of the network may be gone in a minute. */
const faults: readonly Fault[] = [
  {
    signs: /No space left on device|Disk quota exceeded/i,
    sentence: 'the disk is full',
    retryable: true,
  },
  {
    signs: /exists; cannot create/i,
    sentence: 'a branch with the first part of the name of ours stands in the way: rename it',
    retryable: false,
  },
  {
    signs: /reference already exists/i,
    sentence: 'there is a branch of that name: another attempt gets another name',
    retryable: true,
  },
  {
    signs: /\.lock': File exists|cannot lock ref|index file open failed/i,
    sentence:
      'it is locked by another git; if none is running, one was killed: remove the file that is named',
    retryable: true,
  },
  {
    signs: /dubious ownership|safe\.directory|safe\.bareRepository/i,
    sentence: 'it belongs to another user of this host; git config safe.directory allows it',
    retryable: false,
  },
  {
    signs: /transport '.*' not allowed/i,
    sentence: 'it leads to a kind of address that is not allowed',
    retryable: false,
  },
  {
    signs: /couldn't find remote ref HEAD/i,
    sentence: 'it has no commit yet: push one first',
    retryable: false,
  },
  {
    signs:
      /Authentication failed|could not read (Username|Password)|Permission denied|Host key verification failed|terminal prompts disabled|Repository not found|repository not exported|error: 40[134]/i,
    sentence: 'it is not there, or does not let this worker in: check its address and credentials',
    retryable: false,
  },
  {
    signs:
      /bad object|corrupt|missing (blob|tree|commit|object)|unable to read (tree|sha1|[0-9a-f]{40})|loose object|inflate|broken (ref|link)|bad signature|index file smaller|unable to parse|packfile/i,
    sentence: 'it is damaged: git fsck tells what is missing',
    retryable: false,
  },
  { signs: /not a git repository/i, sentence: 'it is no git repository', retryable: false },
];

/** @param what begins the sentence, such as "The repository /srv/app cannot be used". */
function explain(what: string, error: unknown): unknown {
  if (!(error instanceof GitFailure)) return explainSystem(what, error);
  const { outcome } = error;
  if (outcome.isLate) {
    return new WorkPlaceError(`${what}: git ${outcome.command} took too long and was ended.`, true);
  }
  const fault = faults.find(({ signs }) => signs.test(outcome.stderr));
  const said = `git ${outcome.command} said "${complaintOf(outcome)}"`;
  if (fault === undefined) return new WorkPlaceError(`${what}: ${said}.`, true);
  return new WorkPlaceError(`${what}, because ${fault.sentence} (${said}).`, fault.retryable);
}

/** What the operating system refused may be gone in a minute; anything else is a bug, and stays one. */
function explainSystem(what: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new WorkPlaceError(`${what}: ${error.message}.`, true);
}

/** Runs what may fail; its failure becomes the sentence that begins with `what`. */
export async function explained<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A sentence that is one already comes back as it is.
    throw explain(what, error);
  }
}

/** A password in a URL is shown to nobody. */
export function withoutPassword(text: string): string {
  return text
    .replace(/(:\/\/[^/@\s:]*):[^/@\s]*@/g, '$1:***@')
    .replace(/(:\/\/)[^/@\s:]{20,}@/g, '$1***@');
}

/** The line of git's complaint that says most: the first fatal one, or the last. */
function complaintOf({ stderr, isCut }: GitOutcome): string {
  if (isCut) return 'more than it may';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((each) => /^(fatal|error):/.test(each)) ?? lines.at(-1) ?? 'nothing';
  const readable = withoutPassword(line)
    .replace(/\p{Cc}/gu, ' ')
    .trim();
  return readable.slice(0, limits.gitComplaintCharactersMax);
}

/** From 2.30 `rev-parse` keeps apart what is an option and what a name that looks like one. */
const oldestGit = [2, 30] as const;

/** @throws {WorkPlaceError} when this host has no git, or one that is too old. */
export async function requireGit(): Promise<void> {
  const { exitCode, stdout } = await tryGit(['--version'], { cwd: '/' });
  const need = `tasks with a repository need git ${oldestGit.join('.')} or newer on the host of the worker`;
  if (exitCode !== 0) throw new WorkPlaceError(`There is no git: ${need}.`, false);
  const version = /(\d+)\.(\d+)[.\w]*/.exec(stdout.toString());
  const [major, minor] = [Number(version?.[1]), Number(version?.[2])];
  if (major > oldestGit[0] || (major === oldestGit[0] && minor >= oldestGit[1])) return;
  throw new WorkPlaceError(
    `git ${version?.[0] ?? 'of unknown version'} is too old: ${need}.`,
    false,
  );
}
