/** What Linux writes about control groups, as values. */

/**
 * Where a process's own control group lies as a folder.
 * @param cgroup `/proc/<pid>/cgroup`
 * @param mountinfo `/proc/<pid>/mountinfo`
 * @returns undefined where there is no version 2 of them, or where it is not in sight.
 */
export function ownCgroupFolder(cgroup: string, mountinfo: string): string | undefined {
  // Version 1 numbers its hierarchies from 1 on.
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (path === undefined || path.split('/').includes('..')) return undefined;
  for (const line of mountinfo.split('\n')) {
    const [mount = '', source = ''] = line.split(' - ');
    if (!source.startsWith('cgroup2 ')) continue;
    const [, , , root = '/', mountPoint = ''] = mount.split(' ').map(unescaped);
    const below = root === '/' ? path : pathBelow(root, path);
    if (below !== undefined) return `${mountPoint}${below}`.replace(/\/+$/, '');
  }
  return undefined;
}

function pathBelow(root: string, path: string): string | undefined {
  if (path === root) return '';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

/** Spaces and the like stand as three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** `cgroup.events`: whether a process lives in the group, or in one below it. */
export function isPopulated(events: string): boolean {
  return !/^populated 0$/m.test(events);
}

/** `cgroup.procs`: pids; what cannot be seen from here stands there as 0. */
export function decodePids(procs: string): number[] {
  return procs
    .split('\n')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 0);
}
