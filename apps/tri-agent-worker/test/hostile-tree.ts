import { spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  attemptVariables,
  identityOf,
  listProcesses,
  type HostProcess,
  type ProcessIdentity,
} from '#platform/processes.js';
import { AgentProcess } from '../src/agent-process.js';
import type { Invocation } from '../src/agents/agent.js';
import type { AgentEnclosure } from '../src/containment/enclosure.js';
import type { Containment } from '../src/containment/containment.js';

/**
 * An agent that does what it can to leave processes behind: sessions of their own, children whose parents are gone,
 * children without its environment, TERM that is ignored or answered with one more child, and a child that goes on
 * starting others. Each bears the tree's mark among its arguments, and ends by itself after ten minutes.
 */
const script = `#!/bin/sh
mark=$1
if [ "$2" = stands ]; then sleep "$mark" & while :; do wait; done; fi
if [ "$2" = ignores ]; then trap '' TERM; else trap 'setsid sleep "$mark" & exit 143' TERM; fi
sleep "$mark" &
setsid sleep "$mark" &
(sleep "$mark" &)
(setsid sh -c 'sleep "$0" & exec sleep "$0"' "$mark" &)
(env -i setsid sleep "$mark" &)
(env -i setsid sh -c '(setsid sleep "$0" &) ; exec sleep "$0"' "$mark" &)
(n=0; while [ $n -lt 30 ]; do setsid sleep "$mark" & n=$((n+1)); sleep 0.1; done) &
echo up
while :; do wait; done
`;
/** Those it has for certain once it is up: itself and one for each line that starts some. */
const processesAtLeast = 10;

export type Manners = 'heeds' | 'ignores';

export interface HostileTree {
  readonly agent: AgentProcess;
  readonly attemptId: string;
  readonly mark: string;
  readonly enclosure: AgentEnclosure;
}

/** @returns the path of a program that is such an agent: `hostile <mark> heeds|ignores|stands`. */
export function installHostileAgent(folder: string): string {
  const path = join(folder, 'hostile');
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

/** A number of seconds that no other process waits for. */
export function newMark(): string {
  return `600.${randomInt(1_000_000, 10_000_000)}`;
}

/**
 * Strangers: the same programs under the same names, leading groups and sessions of their own, of an attempt that has
 * nearly the same id.
 */
export function startStrangers(
  program: string,
  attemptId: string,
  mark: string,
): ProcessIdentity[] {
  const env = { PATH: process.env['PATH'], [attemptVariables.attemptId]: `${attemptId}0` };
  const options = { detached: true, stdio: 'ignore', env } as const;
  const children = [spawn(program, [mark, 'stands'], options), spawn('sleep', [mark], options)];
  return children.flatMap((child) => {
    child.unref();
    return identityOf(child.pid ?? -1) ?? [];
  });
}

/** Starts such an agent as the worker starts one, and waits until all of its tree is there. */
export async function startHostileTree(
  program: string,
  folder: string,
  containment: Pick<Containment, 'enclose'>,
  manners: Manners,
): Promise<HostileTree> {
  const mark = newMark();
  const attemptId = randomUUID();
  const env = { PATH: process.env['PATH'] ?? '', [attemptVariables.attemptId]: attemptId };
  const invocation: Invocation = { is: 'run', args: [mark, manners], env, stdin: '' };
  const enclosure = await containment.enclose({ attemptId, taskId: 'hostile', directory: folder });
  const agent = await AgentProcess.start(program, invocation, folder, enclosure);
  void read(agent);
  await untilThere(mark);
  return { agent, attemptId, mark, enclosure };
}

async function untilThere(mark: string): Promise<void> {
  const lastMs = performance.now() + 60_000;
  while ((await marked(mark)).length < processesAtLeast) {
    if (performance.now() > lastMs) throw new Error('The hostile tree did not come to be.');
    await wait(20);
  }
}

/** As a worker does, until it ends. */
async function read(agent: AgentProcess): Promise<void> {
  for await (const { text } of agent.lines()) if (text !== 'up') throw new Error(text);
}

/** Known by their arguments alone, by which nothing is ever ended. */
export async function marked(mark: string): Promise<HostProcess[]> {
  return (await listProcesses()).filter((it) => it.arguments.includes(mark));
}
