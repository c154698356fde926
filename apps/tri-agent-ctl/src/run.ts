import { Client } from './client.js';
import { exitCode } from './failure.js';
import type { Io } from './io.js';
import type { Output } from './output.js';
import { findServer } from './server.js';

/** What each command is given; the server is looked up only by those that want it. */
export class Run {
  exit: number = exitCode.ok;

  constructor(
    readonly io: Io,
    readonly output: Output,
  ) {}

  client(): Client {
    return new Client(findServer(this.io), this.io);
  }
}
