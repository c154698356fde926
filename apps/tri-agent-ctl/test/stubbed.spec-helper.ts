import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StubServer } from './stub-server.js';

/** What the command line of a test is run against. */
export interface Stub {
  readonly server: StubServer;
  /** The person's home, empty at first. */
  readonly home: string;
  /** With which it finds both; a test may change it. */
  readonly env: Record<string, string>;
}

/**
 * A stub server and a home for each test of a file; what is read of it is of the test that runs.
 *
 * @param begin what each test begins with
 */
export function stubbed(begin: (stub: Stub) => void | Promise<void> = () => undefined): Stub {
  let current: Stub | undefined;
  const now = (): Stub => {
    if (current === undefined) throw new Error('No test runs.');
    return current;
  };
  beforeEach(async () => {
    const server = await StubServer.start();
    const home = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
    current = { server, home, env: server.env(home) };
    await begin(current);
  });
  afterEach(async () => {
    const { server, home } = now();
    current = undefined;
    await server.stop();
    await rm(home, { recursive: true });
  });
  return {
    get server() {
      return now().server;
    },
    get home() {
      return now().home;
    },
    get env() {
      return now().env;
    },
  };
}
