import { findContainment, type Containment } from '../src/containment/containment.js';

/** Those that this host allows, the best first; `none` is always among them. */
export async function containmentsHere(): Promise<Containment[]> {
  const here: Containment[] = [];
  for (const kind of ['cgroup', 'pid-namespace', 'none'] as const) {
    const found = await findContainment(kind).catch(() => undefined);
    if (found !== undefined) here.push(found);
  }
  return here;
}
