import type { Client } from '../client.js';
import type { Agent, HooksMode, Place } from '../connect/agent.js';
import { changesToConnect, diffLines, mergeChanges, type Change } from '../connect/changes.js';
import {
  otlpPortOf,
  standingOf,
  untouchable,
  wantedFor,
  type Standing,
} from '../connect/connecting.js';
import { hooksWanted } from '../connect/hooks-wanted.js';
import { backUp, writeSettingsFile } from '../connect/settings-file.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { clean } from '#platform/harmless-text.js';

export interface ConnectWish extends Place {
  readonly write: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Absent where the agent has none to install. */
  readonly hooks?: HooksMode | 'none';
}

interface Plan extends Standing {
  readonly changes: readonly Change[];
  readonly holdsHooks: boolean;
  readonly isOfProject: boolean;
  /** The file's text afterwards. */
  readonly text: string;
}

/** Makes an agent report here, or tells how. */
export async function connectAgent(
  agent: Agent,
  client: Client,
  output: Output,
  wish: ConnectWish,
): Promise<void> {
  const otlpPort = await otlpPortOf(client);
  if (!wish.write && !wish.dryRun) {
    printSettings(agent, client, output, wish, otlpPort);
    return;
  }
  const standing = await standingOf(agent, output.io, client.server, wish, otlpPort);
  const { rivals, earlier, wanted, opened } = standing;
  if (rivals.length > 0 && !wish.force) throw rivalFailure(standing);
  const recorded = earlier?.changes ?? [];
  const mayMake = wish.write && !wish.dryRun;
  const hooks =
    agent.hooks?.(hooksWanted(client.server, wish.hooks, mayMake), opened.values, recorded) ?? {};
  const changes = changesToConnect(agent, opened.values, wanted, rivals, recorded, hooks);
  const text = opened.edit(new Map(changes.map(({ key, after }) => [key, after])), false);
  if (text === undefined) throw untouchable(standing.file, agent);
  const { values } = agent.open({ ...standing.file, source: text, text });
  const { warnings } = await agent.surroundings(output.io, standing.file, values, wanted);
  const holdsHooks = Object.keys(hooks).length > 0 && wish.hooks !== 'none';
  const isOfProject = wish.scope === 'project' && wish.file === undefined;
  const plan = { ...standing, warnings, changes, text, holdsHooks, isOfProject };
  const backup = wish.dryRun || changes.length === 0 ? undefined : await apply(plan, output);
  report(output, plan, wish, backup);
}

/** The record goes first: were it lost, nobody could take back what the settings hold. */
async function apply(plan: Plan, output: Output): Promise<string | undefined> {
  const { agent, file, opened, changes, text, connections, earlier } = plan;
  const backup = await backUp(file, output.io.now());
  const recording = await connections.with(agent.id, file.target, {
    connectedAt: output.io.now().toISOString(),
    createdFile: earlier?.createdFile ?? file.source === null,
    createdSection: earlier?.createdSection ?? !opened.hasSection,
    changes: mergeChanges(earlier?.changes ?? [], changes),
  });
  try {
    await writeSettingsFile(file, text);
  } catch (error) {
    await recording.with(agent.id, file.target, earlier);
    throw error;
  }
  return backup;
}

function rivalFailure({ agent, file, rivals }: Standing): Failure {
  return new Failure(
    'connected_elsewhere',
    `${file.path} already sends telemetry elsewhere: ${rivals.map(({ what }) => what).join(', ')}; nothing was changed.`,
    `Use --force to send it here instead; "tri-agent-ctl disconnect ${agent.word}" puts it back as it was.`,
  );
}

function printSettings(
  agent: Agent,
  { server }: Client,
  output: Output,
  wish: ConnectWish,
  otlpPort: number | null | undefined,
): void {
  const wanted = wantedFor(agent, server, otlpPort);
  const hooks = agent.hooks?.(hooksWanted(server, wish.hooks), {}, []) ?? {};
  const path = agent.settingsPath(output.io, wish);
  if (output.json) {
    const shown = Object.entries({ ...wanted.required, ...wanted.whereUnset }).map(
      ([key, value]) => [key, agent.shown(key, value)] as const,
    );
    output.document({
      agent: agent.id,
      file: path,
      [agent.section]: Object.fromEntries(shown),
      hooks: Object.fromEntries(
        Object.entries(hooks).map(([key, item]) => [key, agent.shown(key, item)]),
      ),
    });
    return;
  }
  output.lines(
    `${agent.title} reports here with this in ${clean(path)}:`,
    '',
    ...agent.byHand(wanted, hooks),
    '',
    `Put it there yourself, or let this do it: tri-agent-ctl connect ${agent.word} --write`,
    '(everything else in the file stays; a backup is made; --dry-run shows the changes).',
  );
  if (!server.onLoopback) {
    output.lines('The access token belongs where it says (not shown); --write puts it in.');
  }
}

function report(
  output: Output,
  plan: Plan,
  { dryRun }: ConnectWish,
  backup: string | undefined,
): void {
  const { agent, file, wanted, changes } = plan;
  const warnings = warningsOf(plan);
  const diff = diffLines(agent, changes);
  const changed = !dryRun && changes.length > 0;
  if (output.json) {
    output.document({
      agent: agent.id,
      file: file.path,
      endpoint: wanted.endpoint,
      dryRun,
      changed,
      changes: diff,
      backup: backup ?? null,
      warnings,
    });
    return;
  }
  if (changes.length === 0) {
    output.lines(
      clean(`${agent.title} is already connected to ${wanted.endpoint} (${file.path}).`),
    );
  } else {
    output.lines(
      clean(dryRun ? `${file.path} would change so:` : `${file.path} has changed so:`),
      ...diff.map((line) => paintedDiff(line, output)),
    );
  }
  if (backup !== undefined) output.lines(clean(`The file as it was: ${backup}`));
  if (changed) {
    const from = `${agent.title} reports to ${wanted.endpoint} from its next start on.`;
    output.lines(clean(`${from} ${agent.afterwards}`));
  }
  for (const warning of warnings) output.note(`Warning: ${warning}`);
}

function warningsOf({ file, warnings, wanted, holdsHooks, isOfProject }: Plan): string[] {
  const others = warnings.map(({ what, fix }) => `${what} ${fix}`);
  const isReadable = (file.mode & 0o077) !== 0;
  const readers = isReadable ? [`Other users can read that file: chmod 600 ${file.path}`] : [];
  if (wanted.holdsToken) {
    const access = `The access token is written into ${file.path}. Whoever reads it has access.`;
    return [access, ...readers, ...others];
  }
  if (!holdsHooks) return others;
  const shared = `${file.path} holds a token and paths of this machine now: do not commit it, or use --file .claude/settings.local.json.`;
  if (isOfProject) others.unshift(shared);
  if (!isReadable) return others;
  const token = `The token of hooks is written into ${file.path}. Whoever reads it can tell of sessions.`;
  return [token, ...readers, ...others];
}

export function paintedDiff(line: string, output: Output): string {
  return `  ${output.paint(line.startsWith('-') ? 'red' : 'green', clean(line))}`;
}
