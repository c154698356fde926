import { agent, envOf, settingsPath, type Place } from '../connect/claude-files.js';
import * as claude from '../connect/claude-settings.js';
import { Connections, type Connection } from '../connect/connections.js';
import { editObjectMember } from '../connect/json-edit.js';
import {
  backUp,
  readSettingsFile,
  removeSettingsFile,
  writeSettingsFile,
  type SettingsFile,
} from '../connect/settings-file.js';
import type { Output } from '../output.js';
import { clean } from '../render/text.js';
import type { Server } from '../server.js';
import { paintedDiff, untouchable } from './connect.js';

export interface DisconnectWish extends Place {
  readonly dryRun: boolean;
}

/** Takes back what `connect` wrote and nobody has changed since. */
export async function disconnectClaude(
  server: Server,
  output: Output,
  wish: DisconnectWish,
): Promise<void> {
  const path = settingsPath(output.io, wish);
  const file = await readSettingsFile(path);
  const connections = await Connections.open(server);
  const connection = connections.of(agent, file.target);
  if (connection === undefined) {
    reportStranger(output, file);
    return;
  }
  const { changes, kept } = claude.changesToDisconnect(envOf(file), connection.changes);
  let backup: string | undefined;
  if (!wish.dryRun) {
    if (changes.length > 0 && file.text !== null) backup = await takeBack(file, connection, output);
    await connections.with(agent, file.target, undefined);
  }
  if (output.json) {
    output.document({
      agent,
      file: path,
      dryRun: wish.dryRun,
      changed: !wish.dryRun && changes.length > 0,
      changes: claude.diffLines(changes),
      kept,
      backup: backup ?? null,
    });
    return;
  }
  output.lines(
    clean(wish.dryRun ? `${path} would change so:` : `${path} has changed so:`),
    ...claude.diffLines(changes).map((line) => paintedDiff(line, output)),
    ...(kept.length === 0
      ? []
      : [clean(`Left as it is, because it was changed since: ${kept.join(', ')}`)]),
    ...(backup === undefined ? [] : [clean(`The file as it was: ${backup}`)]),
  );
}

async function takeBack(
  file: SettingsFile,
  connection: Connection,
  output: Output,
): Promise<string | undefined> {
  const { changes } = claude.changesToDisconnect(envOf(file), connection.changes);
  const values = new Map(changes.map(({ key, after }) => [key, after]));
  const bom = file.text?.startsWith('\ufeff') === true ? '\ufeff' : '';
  const before = (file.text ?? '{}').slice(bom.length);
  const text = editObjectMember(before, 'env', values, connection.createdEnv);
  if (text === undefined) throw untouchable(file.path);
  const backup = await backUp(file, output.io.now());
  const empty = Object.keys(JSON.parse(text) as object).length === 0;
  if (connection.createdFile && empty) await removeSettingsFile(file);
  else await writeSettingsFile(file, bom + text);
  return backup;
}

/** Without a record nothing is removed: who knows who wrote it. */
function reportStranger(output: Output, file: SettingsFile): void {
  const endpoint = envOf(file)[claude.endpointKey];
  if (output.json) {
    output.document({
      agent,
      file: file.path,
      changed: false,
      changes: [],
      kept: [],
      backup: null,
    });
    return;
  }
  output.lines(clean(`${file.path} was not connected with tri-agent-ctl; nothing was changed.`));
  if (endpoint !== undefined) {
    const shown = claude.shownValue(claude.endpointKey, endpoint);
    output.lines(
      clean(`It does send telemetry to ${shown}: remove the OTEL_ lines of its "env" by hand.`),
    );
  }
}
