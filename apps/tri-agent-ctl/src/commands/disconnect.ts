import type { Agent, Place } from '../connect/agent.js';
import { changesToDisconnect, diffLines, type Change } from '../connect/changes.js';
import { untouchable } from '../connect/connecting.js';
import { Connections, type Connection } from '../connect/connections.js';
import {
  backUp,
  readSettingsFile,
  removeSettingsFile,
  writeSettingsFile,
  type SettingsFile,
} from '../connect/settings-file.js';
import type { Output } from '../output.js';
import { clean } from '#platform/harmless-text.js';
import type { Server } from '../server.js';
import { paintedDiff } from './connect.js';

export interface DisconnectWish extends Place {
  readonly dryRun: boolean;
}

/** Takes back what `connect` wrote and nobody has changed since. */
export async function disconnectAgent(
  agent: Agent,
  server: Server,
  output: Output,
  wish: DisconnectWish,
): Promise<void> {
  const path = agent.settingsPath(output.io, wish);
  const file = await readSettingsFile(path);
  const connections = await Connections.open(server);
  const connection = connections.of(agent.id, file.target);
  if (connection === undefined) {
    reportStranger(agent, output, file, connections.pathsOf(agent.id));
    return;
  }
  const { values } = agent.open(file);
  const { changes, kept } = changesToDisconnect(agent, values, connection.changes);
  let backup: string | undefined;
  if (!wish.dryRun) {
    if (changes.length > 0 && file.source !== null) {
      backup = await takeBack(agent, file, connection, changes, output);
    }
    await connections.with(agent.id, file.target, undefined);
  }
  if (output.json) {
    output.document({
      agent: agent.id,
      file: path,
      dryRun: wish.dryRun,
      changed: !wish.dryRun && changes.length > 0,
      changes: diffLines(agent, changes),
      kept,
      backup: backup ?? null,
    });
    return;
  }
  output.lines(
    clean(wish.dryRun ? `${path} would change so:` : `${path} has changed so:`),
    ...diffLines(agent, changes).map((line) => paintedDiff(line, output)),
    ...(kept.length === 0
      ? []
      : [clean(`Left as it is, because it was changed since: ${kept.join(', ')}`)]),
    ...(backup === undefined ? [] : [clean(`The file as it was: ${backup}`)]),
  );
}

async function takeBack(
  agent: Agent,
  file: SettingsFile,
  { createdFile, createdSection }: Connection,
  changes: readonly Change[],
  output: Output,
): Promise<string | undefined> {
  const values = new Map(changes.map(({ key, after }) => [key, after]));
  const text = agent.open(file).edit(values, createdSection);
  if (text === undefined) throw untouchable(file, agent);
  const backup = await backUp(file, output.io.now());
  if (createdFile && agent.isEmpty(text)) await removeSettingsFile(file);
  else await writeSettingsFile(file, text);
  return backup;
}

/** Without a record nothing is removed: who knows who wrote it. */
function reportStranger(
  agent: Agent,
  output: Output,
  file: SettingsFile,
  others: readonly string[],
): void {
  if (output.json) {
    output.document({
      agent: agent.id,
      file: file.path,
      changed: false,
      changes: [],
      kept: [],
      backup: null,
    });
    return;
  }
  output.lines(clean(`${file.path} was not connected with tri-agent-ctl; nothing was changed.`));
  const { values } = agent.open(file);
  const there = agent.destinationKeys.filter((key) => values[key] !== undefined);
  for (const key of there) {
    const shown = `${agent.prefix}${key}=${agent.shown(key, values[key])}`;
    output.lines(clean(`It does send telemetry somewhere: ${shown}. Remove that by hand.`));
  }
  for (const other of others) {
    const type = `tri-agent-ctl disconnect ${agent.word} --file ${other}`;
    output.lines(clean(`${agent.title} is connected in another file. To undo that: ${type}`));
  }
}
