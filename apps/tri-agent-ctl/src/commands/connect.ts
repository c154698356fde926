import type { Client } from '../client.js';
import { agent, envFor, envOf, settingsPath, type Place } from '../connect/claude-files.js';
import * as claude from '../connect/claude-settings.js';
import { Connections, type Connection } from '../connect/connections.js';
import { editObjectMember } from '../connect/json-edit.js';
import {
  backUp,
  readSettingsFile,
  writeSettingsFile,
  type SettingsFile,
} from '../connect/settings-file.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { clean } from '../render/text.js';
import * as shapes from '../shapes.js';

export interface ConnectWish extends Place {
  readonly write: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
}

interface Plan {
  readonly file: SettingsFile;
  readonly wanted: claude.Env;
  readonly changes: readonly claude.EnvChange[];
  readonly connections: Connections;
  readonly earlier: Connection | undefined;
  readonly warnings: readonly string[];
}

/** Makes Claude Code report here, or tells how. */
export async function connectClaude(
  client: Client,
  output: Output,
  wish: ConnectWish,
): Promise<void> {
  const { server } = client;
  const otlpPort = await client
    .get('/api/v1/status', shapes.status)
    .then(({ ports }) => ports?.otlpHttp)
    // Connecting is possible before the server is started: then the configured port counts.
    .catch(() => undefined);
  const wanted = envFor(server, otlpPort);
  const path = settingsPath(output.io, wish);
  if (!wish.write && !wish.dryRun) {
    printSettings(output, wanted, path, server.onLoopback);
    return;
  }
  const file = await readSettingsFile(path);
  const connections = await Connections.open(server);
  const earlier = connections.of(agent, file.target);
  const env = envOf(file);
  const recorded = earlier?.changes ?? [];
  const rivals = claude.rivalsOf(env, wanted, recorded);
  if (rivals.length > 0 && !wish.force) throw rivalFailure(path, env, rivals);
  const changes = claude.changesToConnect(env, wanted, recorded);
  const warnings = warningsFor(file, env, wanted);
  const plan = { file, wanted, changes, connections, earlier, warnings };
  const backup = wish.dryRun || changes.length === 0 ? undefined : await apply(plan, output);
  report(output, plan, wish, backup);
}

/** The record goes first: were it lost, nobody could take back what the settings hold. */
async function apply(plan: Plan, output: Output): Promise<string | undefined> {
  const { file, changes, connections, earlier } = plan;
  const values = new Map(changes.map(({ key, after }) => [key, after]));
  const bom = file.text?.startsWith('\ufeff') === true ? '\ufeff' : '';
  const text = editObjectMember((file.text ?? '{}\n').slice(bom.length), 'env', values);
  if (text === undefined) throw untouchable(file.path);
  const backup = await backUp(file, output.io.now());
  const recording = await connections.with(agent, file.target, {
    connectedAt: output.io.now().toISOString(),
    createdFile: earlier?.createdFile ?? file.text === null,
    createdEnv: earlier?.createdEnv ?? !('env' in file.content),
    changes: claude.mergeChanges(earlier?.changes ?? [], changes),
  });
  try {
    await writeSettingsFile(file, bom + text);
  } catch (error) {
    await recording.with(agent, file.target, earlier);
    throw error;
  }
  return backup;
}

export function untouchable(path: string): Failure {
  return new Failure(
    'settings_invalid',
    `${path} names a setting twice, so that changing it safely is not possible; nothing was changed.`,
    'Remove the double, then run this again.',
  );
}

function rivalFailure(
  path: string,
  env: Readonly<Record<string, unknown>>,
  rivals: readonly string[],
): Failure {
  const there = rivals.map((key) => `${key}=${claude.shownValue(key, env[key])}`).join(', ');
  return new Failure(
    'connected_elsewhere',
    `${path} already sends telemetry elsewhere: ${there}; nothing was changed.`,
    'Use --force to send it here instead; "tri-agent-ctl disconnect claude" puts it back as it was.',
  );
}

function warningsFor(
  file: SettingsFile,
  env: Readonly<Record<string, unknown>>,
  wanted: claude.Env,
): string[] {
  const warnings: string[] = [];
  if (claude.headersKey in wanted) {
    warnings.push(`The access token is written into ${file.path}. Whoever reads it has access.`);
    if ((file.mode & 0o077) !== 0) {
      warnings.push(`Other users can read that file: chmod 600 ${file.path}`);
    }
  }
  if (env[claude.sessionIdKey] === 'false') {
    warnings.push(
      `${claude.sessionIdKey}=false takes the session out of all telemetry, so nothing can be told apart: remove it.`,
    );
  }
  return warnings;
}

function masked(env: claude.Env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([key, value]) => [key, claude.shownValue(key, value)]),
  );
}

function printSettings(
  output: Output,
  wanted: claude.Env,
  path: string,
  onLoopback: boolean,
): void {
  const env = masked(wanted);
  if (output.json) {
    output.document({ agent, file: path, env });
    return;
  }
  output.lines(
    `Claude Code reports here with this in ${clean(path)}:`,
    '',
    JSON.stringify({ env }, null, 2),
    '',
    'Put it there yourself, or let this do it: tri-agent-ctl connect claude --write',
    '(everything else in the file stays; a backup is made; --dry-run shows the changes).',
  );
  if (!onLoopback) {
    output.lines(
      `${claude.headersKey} is Authorization=Bearer%20 and the access token; --write puts it in.`,
    );
  }
}

function report(
  output: Output,
  { file, wanted, changes, warnings }: Plan,
  { dryRun }: ConnectWish,
  backup: string | undefined,
): void {
  const endpoint = wanted[claude.endpointKey] ?? '';
  if (output.json) {
    output.document({
      agent,
      file: file.path,
      endpoint,
      dryRun,
      changed: !dryRun && changes.length > 0,
      changes: claude.diffLines(changes),
      backup: backup ?? null,
      warnings,
    });
    return;
  }
  if (changes.length === 0) {
    output.lines(clean(`Claude Code is already connected to ${endpoint} (${file.path}).`));
  } else {
    output.lines(
      clean(dryRun ? `${file.path} would change so:` : `${file.path} has changed so:`),
      ...claude.diffLines(changes).map((line) => paintedDiff(line, output)),
    );
    if (!dryRun) {
      output.lines(
        ...(backup === undefined ? [] : [clean(`The file as it was: ${backup}`)]),
        `Claude Code reports to ${clean(endpoint)} from its next start on; running sessions have to be started anew.`,
      );
    }
  }
  for (const warning of warnings) output.note(`Warning: ${warning}`);
}

export function paintedDiff(line: string, output: Output): string {
  return `  ${output.paint(line.startsWith('-') ? 'red' : 'green', clean(line))}`;
}
