import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '#platform/project-root.js';
import type { ServerProcess } from '#platform/server-process.js';

export interface CliEnded {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** The built command line as a process of its own, on the data folder of a server. */
export class CliProcess {
  out = '';
  err = '';
  readonly ended: Promise<CliEnded>;
  private readonly child;

  constructor(
    server: Pick<ServerProcess, 'home' | 'url'>,
    argv: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    const main = join(projectRoot(), 'apps/tri-agent-ctl/bin.cjs');
    this.child = spawn(process.execPath, [main, ...argv], {
      cwd: server.home,
      env: {
        PATH: process.env['PATH'],
        HOME: server.home,
        TRI_AGENT_HOME: server.home,
        TRI_AGENT_URL: server.url,
        ...environment,
      },
    });
    this.child.stdin.end();
    this.child.stdout.on('data', (bytes: Buffer) => (this.out += bytes.toString()));
    this.child.stderr.on('data', (bytes: Buffer) => (this.err += bytes.toString()));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (exit) => {
        resolve({ exit, out: this.out, err: this.err });
      });
    });
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.child.kill('SIGINT');
  }
}

export function runCli(...call: ConstructorParameters<typeof CliProcess>): Promise<CliEnded> {
  return new CliProcess(...call).ended;
}
