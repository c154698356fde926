import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '#platform/project-root.js';
import type { ServerProcess } from '#platform/server-process.js';
import { waitUntil } from './support.js';

/** The built worker as a process of its own, for tests of the whole. */
export class WorkerProgram {
  private constructor(
    private readonly child: ChildProcess,
    private readonly output: string[],
  ) {}

  static async start(
    server: ServerProcess,
    environment: Readonly<Record<string, string>>,
    ...args: readonly string[]
  ): Promise<WorkerProgram> {
    const main = join(projectRoot(), 'dist/apps/tri-agent-worker/src/main.js');
    const child = spawn(process.execPath, [main, ...args], {
      env: {
        PATH: process.env['PATH'],
        TRI_AGENT_HOME: server.home,
        TRI_AGENT_URL: server.url,
        // So that every test of the whole can be run with each containment.
        TRI_AGENT_CONTAINMENT: process.env['TRI_AGENT_CONTAINMENT'] ?? 'auto',
        TRI_AGENT_OTLP_HTTP_PORT: String(server.ports.otlpHttp ?? 0),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const worker = new WorkerProgram(child, output);
    await waitUntil('the worker has registered or ended', () => {
      return worker.printed.includes('registered as') || child.exitCode !== null;
    });
    return worker;
  }

  get printed(): string {
    return this.output.join('');
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** Resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  }
}
