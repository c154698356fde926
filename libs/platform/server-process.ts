import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.js';

/** Where a server listens; null for a role that it does not have. */
export interface Ports {
  readonly http: number | null;
  readonly otlpHttp: number | null;
  readonly otlpGrpc: number | null;
}

export interface ServerProcessOptions {
  readonly home: string;
  /** As for `--roles`; all by default. */
  readonly roles?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** How long a start may take before it counts as failed: far beyond any measured one. */
const startDeadlineMs = 60_000;

/**
 * With which the server runs wherever it is started: in package.json, in the first line of main.ts
 * and here. Each thread gets 4 MB for new objects instead of 16. Under load a server of all roles
 * then holds 130 MB instead of 180, a receiver 97 instead of 138, for 1 to 2 % more processor time.
 */
const nodeFlags = ['--max-semi-space-size=4'];

/** The built server as a process of its own, on free ports. For tests of the whole and benchmarks. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly home: string,
    readonly ports: Ports,
    private readonly output: string[],
  ) {}

  /** Resolves when the server answers on its ports; rejects with its output when it ended instead. */
  static async start({ home, roles, environment }: ServerProcessOptions): Promise<ServerProcess> {
    const main = join(projectRoot(), 'dist/apps/tri-agent/src/main.js');
    const child = fork(main, ['serve', ...(roles === undefined ? [] : ['--roles', roles])], {
      silent: true,
      execArgv: nodeFlags,
      env: {
        PATH: process.env['PATH'],
        TRI_AGENT_HOME: home,
        TRI_AGENT_HTTP_PORT: '0',
        TRI_AGENT_OTLP_HTTP_PORT: '0',
        TRI_AGENT_OTLP_GRPC_PORT: '0',
        // Tests spend more in a minute than a new house allows; who is about budgets switches them on.
        TRI_AGENT_DEFAULT_BUDGETS: 'off',
        TRI_AGENT_DESKTOP_NOTICES: 'off',
        ...environment,
      },
    });
    const output: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const deadline = AbortSignal.timeout(startDeadlineMs);
    const ports = await Promise.race([
      once(child, 'message', { signal: deadline }).then(([message]) => message as Ports),
      once(child, 'exit').then(() => undefined),
    ]).catch(() => undefined);
    if (ports === undefined) {
      child.kill('SIGKILL');
      throw new Error(`The server did not start:\n${output.join('')}`);
    }
    return new ServerProcess(child, home, ports, output);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.http ?? 0}`;
  }

  get otlpUrl(): string {
    return `http://127.0.0.1:${this.ports.otlpHttp ?? 0}`;
  }

  get printed(): string {
    return this.output.join('');
  }

  /** GET on the REST port with the token of the data folder. */
  async get(path: string): Promise<Response> {
    const token = readFileSync(join(this.home, 'token'), 'utf8').trim();
    return fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  }

  /** Resolves when the server has ended, by itself or not, with its exit code; null: by a signal. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }

  /** Ends the server and resolves with its exit code, null when a signal ended it. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const ended = this.ended();
    this.child.kill(signal);
    return ended;
  }
}
