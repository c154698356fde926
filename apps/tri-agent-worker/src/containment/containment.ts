import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { limits } from '#kernel/limits.js';
import { ConfigError, type Config } from '#platform/config.js';
import { CgroupEnclosure } from './cgroup-enclosure.js';
import type { AgentEnclosure, Enclosed, EnclosureRecord } from './enclosure.js';
import { MarkedEnclosure } from './marked-enclosure.js';
import { NamespaceEnclosure } from './namespace-enclosure.js';

/** How a worker holds each of its agents together. */
export interface Containment {
  /** For people and machines: `cgroup`, `pid-namespace` or `none`. */
  readonly kind: EnclosureRecord['is'];
  /** Why nothing better is used; empty where that is wanted, or nothing is better. */
  readonly denied: readonly string[];
  /** @throws {Error} where it cannot be made. */
  readonly enclose: (enclosed: Enclosed) => Promise<AgentEnclosure>;
}

type Way = Omit<Containment, 'denied'>;

const bare: Way = { kind: 'none', enclose: () => Promise.resolve(new MarkedEnclosure(null)) };

/** The best first. */
const ways: readonly Way[] = [
  { kind: 'cgroup', enclose: (it) => Promise.resolve().then(() => CgroupEnclosure.make(it)) },
  { kind: 'pid-namespace', enclose: (it) => NamespaceEnclosure.make(it) },
  { kind: 'none', enclose: (it) => Promise.resolve(MarkedEnclosure.make(it)) },
];

/**
 * Tries what is wanted on this host.
 * @throws {ConfigError} where a certain containment is wanted that the host does not allow.
 */
export async function findContainment(wish: Config['containment']): Promise<Containment> {
  const denied: string[] = [];
  for (const way of ways) {
    if (wish !== 'auto' && wish !== way.kind) continue;
    const why = await whyNot(way);
    if (why === undefined) return { ...way, denied };
    if (way.kind !== 'none') denied.push(`${way.kind}: ${why}`);
  }
  if (wish === 'auto' || wish === 'none') return { ...bare, denied };
  throw new ConfigError(
    `TRI_AGENT_CONTAINMENT asks for what this host does not allow. ${denied.join(' ')} Leave it out to get the best that there is.`,
  );
}

/** One sentence for people, without an end. */
export function containmentText({ kind, denied }: Containment): string {
  return `containment: ${[kind, ...denied].join('; ')}`;
}

/** That of a worker before this one. */
export function enclosureOf(record: EnclosureRecord, launcherPid?: number): AgentEnclosure {
  switch (record.is) {
    case 'cgroup':
      return new CgroupEnclosure(record.folder);
    case 'pid-namespace': {
      const enclosure = new NamespaceEnclosure(record.keeper);
      if (launcherPid !== undefined) enclosure.launched(launcherPid);
      return enclosure;
    }
    case 'none':
      return new MarkedEnclosure(record.mark);
  }
}

/** Whether a process can be started so, and is told of as it ended. */
async function whyNot({ enclose }: Way): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only Linux has it.';
  const own = { attemptId: `trial-${randomUUID()}`, taskId: 'trial', directory: '/' };
  try {
    const enclosure = await enclose(own);
    try {
      const heard = await tryOut(enclosure);
      return heard === 'SIGTERM' ? undefined : `a trial ended with ${heard}.`;
    } finally {
      enclosure.kill();
      await enclosure.remove();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A shell is no proof: it would tell of a signal as an exit code. */
async function tryOut(enclosure: AgentEnclosure): Promise<string> {
  const { program, args } = enclosure.launch({ program: '/bin/sh', args: ['-c', 'kill $$'] });
  const child = spawn(program, [...args], {
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: limits.containmentTrialMs,
    killSignal: 'SIGKILL',
  });
  const complaints = text(child.stderr);
  const [exitCode, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal ?? `exit code ${exitCode ?? ''}: ${(await complaints).trim()}`;
}
