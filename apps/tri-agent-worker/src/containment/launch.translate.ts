/** The command lines by which an agent is started inside what holds it together. */

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
}

/** The shell enters the group and then becomes the agent: nothing of it ever runs outside. */
const enterAndBecome = 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"';

export function launchInCgroup(folder: string, { program, args }: Launch): Launch {
  return { program: '/bin/sh', args: ['-c', enterAndBecome, 'sh', folder, program, ...args] };
}

/**
 * The first process of a namespace: it waits, so that whatever becomes its child is waited for, and does
 * nothing else. It tells on 3 when it is up. TERM does not reach it, nor what it waits for.
 */
const keepUp =
  "trap '' TERM INT HUP; echo up >&3; exec 3>&-; while :; do sleep 2147483647 & wait; done";

/**
 * What keeps a namespace of processes up. Where it is killed, its child, the first process of the namespace, is
 * killed by the kernel, and with that all that is in it.
 * @param isRoot Others need a namespace of users, too, in which they stay who they are.
 */
export function launchOfKeeper(isRoot: boolean): Launch {
  const user = isRoot ? [] : ['--user', '--map-current-user'];
  const namespaces = [...user, '--pid', '--fork', '--mount-proc', '--kill-child'];
  return { program: 'unshare', args: [...namespaces, '--', '/bin/sh', '-c', keepUp] };
}

/**
 * `nsenter` stays outside and ends as the agent does, by code or by signal, where a shell would tell of a
 * signal as a code. The agent is not the first process of the namespace, for that one does not heed a signal that
 * it has no handler for; and it leads a session of its own, which tells it from what holds it.
 */
export function launchInNamespace(
  keeperPid: number,
  isRoot: boolean,
  { program, args }: Launch,
): Launch {
  const user = isRoot ? [] : ['--user', '--preserve-credentials'];
  const namespaces = [...user, '--mount', `--pid=/proc/${keeperPid}/ns/pid_for_children`];
  const enter = ['--target', String(keeperPid), ...namespaces, '--wd'];
  return { program: 'nsenter', args: [...enter, '--', 'setsid', program, ...args] };
}

/**
 * A limit that no program here has a use for, which every child inherits, whatever else it drops. Only the
 * soft one is set: whoever works inside can set it anew for what they start.
 */
export function launchWithMark(mark: string, { program, args }: Launch): Launch {
  return { program: 'prlimit', args: [`--rttime=${mark}:`, '--', program, ...args] };
}
