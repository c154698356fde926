import { plainAddress } from './address.js';
import type { Asker } from './client.js';
import { exitCode } from './failure.js';
import type { Io } from './io.js';
import type { Output } from './output.js';

/** What a command is given that only asks the server. It loads no more than that takes. */
export class LightRun {
  exit: number = exitCode.ok;

  constructor(
    readonly io: Io,
    readonly output: Output,
  ) {}

  /** @throws {Failure} when the configuration is wrong. */
  async asker(): Promise<Asker> {
    const { Client } = await import('./client.js');
    const address = plainAddress(this.io.env) ?? (await import('./server.js')).findServer(this.io);
    return new Client(address, this.io);
  }
}
