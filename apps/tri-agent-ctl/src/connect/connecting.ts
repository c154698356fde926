import type { Client } from '../client.js';
import { Failure } from '../failure.js';
import type { Io } from '../io.js';
import { hostOf, otlpUrl, type Server } from '../server.js';
import * as shapes from '../shapes.js';
import type { Agent, OpenedSettings, Place, Rival, Wanted, Warning } from './agent.js';
import { isConnected } from './changes.js';
import { Connections, type Connection } from './connections.js';
import { readSettingsFile, type SettingsFile } from './settings-file.js';

/** What is common to connecting any agent. */

/** An agent's settings beside what they would have to be. */
export interface Standing {
  readonly agent: Agent;
  readonly file: SettingsFile;
  readonly opened: OpenedSettings;
  readonly wanted: Wanted;
  readonly connections: Connections;
  /** What was written there before. */
  readonly earlier: Connection | undefined;
  readonly rivals: readonly Rival[];
  readonly warnings: readonly Warning[];
  readonly connected: boolean;
}

/** @throws {Failure} where the settings cannot be read. */
export async function standingOf(
  agent: Agent,
  io: Io,
  server: Server,
  place: Place,
  otlpPort: number | null | undefined,
): Promise<Standing> {
  const wanted = wantedFor(agent, server, otlpPort);
  const file = await readSettingsFile(agent.settingsPath(io, place));
  const opened = agent.open(file);
  const { values } = opened;
  const connections = await Connections.open(server);
  const earlier = connections.of(agent.id, file.target);
  const around = await agent.surroundings(io, file, values, wanted);
  const rivals = [...agent.rivals(values, wanted, earlier?.changes ?? []), ...around.rivals];
  const connected = rivals.length === 0 && isConnected(agent, values, wanted);
  const { warnings } = around;
  return { agent, file, opened, wanted, connections, earlier, rivals, warnings, connected };
}

/** The settings with which an agent reports to this server. */
export function wantedFor(
  agent: Agent,
  server: Server,
  otlpPort: number | null | undefined,
): Wanted {
  const endpoint = otlpUrl(server, otlpPort);
  if (server.onLoopback) return agent.wanted(endpoint);
  if (server.token !== null) return agent.wanted(endpoint, server.token);
  throw new Failure(
    'token_missing',
    `The server at ${hostOf(server.url)} wants a token and there is none in ${server.tokenFile}.`,
    'Set TRI_AGENT_TOKEN to the token of that server, then run this again.',
  );
}

/** The port that the server tells. Connecting is possible before it is started: then undefined. */
export async function otlpPortOf(client: Client): Promise<number | null | undefined> {
  return client
    .get('/api/v1/status', shapes.status)
    .then(({ ports }) => ports?.otlpHttp)
    .catch(() => undefined);
}

/** The file is in a form that cannot be changed without harm. */
export function untouchable({ path }: SettingsFile, { word, prefix }: Agent): Failure {
  return new Failure(
    'settings_invalid',
    `${path} writes its "${prefix.replace(/\.$/, '') || 'variables'}" in a way that cannot be changed safely; nothing was changed.`,
    `Put in by hand what "tri-agent-ctl connect ${word}" prints, or take out what stands there now.`,
  );
}
