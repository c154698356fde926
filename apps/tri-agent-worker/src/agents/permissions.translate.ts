import type { Refusal, RunOptions, Task } from './agent.js';

/**
 * What a task may do without asking. The agents name their modes differently, and a task for any agent is
 * given only one name: so each understands the others' names for what it has itself.
 */

/** From narrow to wide; a name may stand in several rows, and the first that fits counts. */
const alike: readonly (readonly string[])[] = [
  ['plan', 'read-only'],
  ['default', 'manual', 'read-only'],
  ['acceptEdits', 'workspace-write', 'auto_edit'],
  ['bypassPermissions', 'danger-full-access', 'yolo'],
];

/** That the task asks for it and the worker's owner agreed. Only here one can be made. */
export class SkipConsent {
  // A private member also keeps what merely looks like it from being taken for one.
  private constructor(private readonly isGiven: boolean) {}

  static of(isAsked: boolean, { maySkipPermissions }: RunOptions): SkipConsent | undefined {
    return isAsked && maySkipPermissions ? new SkipConsent(true) : undefined;
  }

  /** The option of the command line that needs it. */
  unlock(option: string): string[] {
    return this.isGiven ? [option] : [];
  }
}

export interface Modes {
  /** The agent's name for what happens when nothing was asked. */
  readonly usual: string;
  readonly others: readonly string[];
  /** Its name for skipping all permissions. */
  readonly skipAll: string;
}

type Permission =
  | { readonly is: 'mode'; readonly mode: string }
  | { readonly is: 'skip-all'; readonly consent: SkipConsent };

export function permissionOf(
  title: string,
  modes: Modes,
  { permissionMode }: Task,
  options: RunOptions,
): Permission | Refusal {
  const known = [modes.usual, ...modes.others, modes.skipAll];
  const mode = permissionMode === null ? modes.usual : ownName(permissionMode, known);
  if (mode === undefined) {
    return refused(
      `${title} has no such permission mode as this task asks for; it has ${known.join(', ')}.`,
    );
  }
  const consent = SkipConsent.of(mode === modes.skipAll, options);
  if (consent !== undefined) return { is: 'skip-all', consent };
  if (mode !== modes.skipAll) return { is: 'mode', mode };
  return refused(
    `This task asks ${title} to skip all permissions (${modes.skipAll}), and this worker was not started with leave to do so.`,
  );
}

function ownName(asked: string, known: readonly string[]): string | undefined {
  if (known.includes(asked)) return asked;
  const row = alike.find(
    (names) => names.includes(asked) && names.some((name) => known.includes(name)),
  );
  return row?.find((name) => known.includes(name));
}

export function refused(error: string): Refusal {
  return { is: 'refused', error };
}
