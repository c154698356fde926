import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { limits } from '#kernel/limits.js';
import { attemptVariables, identityOf, type ProcessIdentity } from '#platform/processes.js';
import type { Exit, Invocation } from './agents/agent.js';
import type { AgentEnclosure } from './containment/enclosure.js';
import { endAgent, type AgentEnd } from './end-agent.js';
import { linesOf, type Line } from './lines.js';

/**
 * An agent at work: a process that leads a group and a session of its own, in an enclosure that holds what it
 * starts.
 */
export class AgentProcess {
  private stderrTail = '';
  private ending: Promise<AgentEnd> | undefined;

  /**
   * @param enclosure of this agent alone; it ends with the agent, also where that cannot be started
   * @throws {Error} when the program cannot be started
   */
  static async start(
    program: string,
    { args, env, stdin }: Invocation,
    directory: string,
    enclosure: AgentEnclosure,
  ): Promise<AgentProcess> {
    const attemptId = env[attemptVariables.attemptId] ?? '';
    try {
      // What launches it could only tell by an exit code.
      await access(program, constants.X_OK);
      const launch = enclosure.launch({ program, args });
      const child = spawn(launch.program, [...launch.args], {
        cwd: directory,
        env: { ...env },
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      await once(child, 'spawn');
      const { pid = -1 } = child;
      enclosure.launched(pid);
      // It may end before it has read anything.
      child.stdin.on('error', () => undefined);
      child.stdin.end(stdin);
      return new AgentProcess(child, identityOf(pid), attemptId, enclosure);
    } catch (error) {
      await endAgent({ attemptId, identity: undefined, enclosure });
      throw error;
    }
  }

  private constructor(
    private readonly child: ChildProcess,
    /** Undefined when it has ended already. */
    readonly identity: ProcessIdentity | undefined,
    private readonly attemptId: string,
    private readonly enclosure: AgentEnclosure,
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

  /** Ends it and all that it has started: TERM, a grace, KILL; seen to be gone. The first call counts. */
  end(graceMs: number = limits.processGraceMs): Promise<AgentEnd> {
    this.ending ??= endAgent({
      attemptId: this.attemptId,
      identity: this.identity,
      enclosure: this.enclosure,
      graceMs,
    });
    return this.ending;
  }
}
