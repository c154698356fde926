import { Client } from './client.js';
import { LightRun } from './light-run.js';
import { findServer } from './server.js';

/** What a command is given that also looks at the settings. */
export class Run extends LightRun {
  client(): Client {
    return new Client(findServer(this.io), this.io);
  }
}
