import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { limits } from '#kernel/limits.js';
import { endTrees, type EndedProcess } from '#platform/process-trees.js';
import { identityOf, type ProcessIdentity } from '#platform/processes.js';
import type { Exit, Invocation } from './agents/agent.js';
import { linesOf, type Line } from './lines.js';

/**
 * An agent at work: a process that leads a group and a session of its own, so that what it starts can be
 * told from everything else.
 */
export class AgentProcess {
  private stderrTail = '';
  private ending: Promise<readonly EndedProcess[]> | undefined;

  /** @throws {Error} when the program cannot be started */
  static async start(
    program: string,
    { args, env, stdin }: Invocation,
    directory: string,
  ): Promise<AgentProcess> {
    const child = spawn(program, [...args], {
      cwd: directory,
      env: { ...env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    await once(child, 'spawn');
    // It may end before it has read anything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const identity = identityOf(child.pid ?? -1);
    return new AgentProcess(child, identity, env['TRI_AGENT_ATTEMPT_ID'] ?? '');
  }

  private constructor(
    private readonly child: ChildProcess,
    /** Undefined when it has ended already. */
    readonly identity: ProcessIdentity | undefined,
    private readonly attemptId: string,
  ) {
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderrTail = (this.stderrTail + chunk.toString()).slice(-limits.stderrTailCharacters);
    });
    child.stderr?.on('error', () => undefined);
    child.once('exit', () => {
      // What it leaves running may hold its output open for ever.
      setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, limits.agentOutputGraceMs).unref();
    });
  }

  /** What it prints, until it has ended and nothing more comes. */
  async *lines(): AsyncGenerator<Line> {
    if (this.child.stdout === null) return;
    try {
      yield* linesOf(this.child.stdout, limits.agentLineCharactersMax);
    } catch (error) {
      // Cut off because the agent has ended.
      if (this.child.exitCode === null && this.child.signalCode === null) throw error;
    }
  }

  async ended(): Promise<Exit> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return { exitCode: child.exitCode, signal: child.signalCode, stderrTail: this.stderrTail };
  }

  /** Ends it and all that it has started: TERM, a grace, KILL; seen to be gone. */
  end(): Promise<readonly EndedProcess[]> {
    this.ending ??= endTrees({
      processes: this.identity === undefined ? [] : [this.identity],
      attemptIds: [this.attemptId],
    });
    return this.ending;
  }
}
