import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { limits } from '#kernel/limits.js';
import { describeFailure } from '../client.js';
import { agent, envFor, envOf, settingsPath } from '../connect/claude-files.js';
import * as claude from '../connect/claude-settings.js';
import { readSettingsFile } from '../connect/settings-file.js';
import type { Io } from '../io.js';
import { formatBytes } from '../render/numbers.js';
import type { Server } from '../server.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** What can be looked at without a server. */

export function checkNode(): Finding {
  return ok('Node', process.versions.node);
}

export async function checkDataFolder(server: Server): Promise<Finding> {
  const name = 'data folder';
  const { home } = server.loaded.config;
  const about = await stat(home).catch(() => undefined);
  if (about === undefined) {
    const how = 'Start the server once (npm start), or set TRI_AGENT_HOME to its data folder.';
    // Whoever names the server's address may have it elsewhere, its data folder with it.
    const finding = server.loaded.config.url === null ? fail : warn;
    return finding(name, `${home} does not exist`, how);
  }
  if (!about.isDirectory()) {
    return fail(name, `${home} is no folder`, 'Set TRI_AGENT_HOME to a folder.');
  }
  const writable = await access(home, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    return fail(name, `${home} cannot be written to`, 'Run this as the user who runs the server.');
  }
  if ((about.mode & 0o077) !== 0) {
    return warn(name, `${home} is open to other users`, `Close it: chmod 700 ${home}`);
  }
  return ok(name, home);
}

export async function checkToken(server: Server): Promise<Finding> {
  const name = 'token';
  const { token, tokenFile, loaded } = server;
  if (loaded.config.token !== null) return ok(name, `from ${loaded.origins.token}`);
  if (token === null) {
    return fail(
      name,
      `none can be read from ${tokenFile}`,
      'Start the server once (it makes one), or set TRI_AGENT_TOKEN.',
    );
  }
  const { mode } = await stat(tokenFile);
  return (mode & 0o077) === 0
    ? ok(name, `${tokenFile}, for its owner alone`)
    : warn(name, `${tokenFile} can be read by other users`, `Close it: chmod 600 ${tokenFile}`);
}

export async function checkDisk(server: Server): Promise<Finding | undefined> {
  const name = 'disk';
  const about = await statfs(server.loaded.config.home).catch(() => undefined);
  if (about === undefined) return undefined;
  const free = about.bavail * about.bsize;
  const least = limits.diskFreeBytesMin;
  const detail = `${formatBytes(free)} free`;
  const fix = `Free some: the server takes nothing more below ${formatBytes(least)}.`;
  if (free < least) return fail(name, detail, fix);
  return free < 4 * least ? warn(name, detail, fix) : ok(name, detail);
}

export async function checkClaude(
  io: Io,
  server: Server,
  otlpPort: number | null | undefined,
): Promise<Finding> {
  const name = 'Claude Code';
  const path = settingsPath(io, { scope: 'user' });
  try {
    const env = envOf(await readSettingsFile(path));
    const wanted = envFor(server, otlpPort);
    if (env[claude.sessionIdKey] === 'false') {
      const detail = `${claude.sessionIdKey}=false hides which session telemetry is from`;
      return warn(name, detail, `Remove it from "env" in ${path}.`);
    }
    if (claude.rivalsOf(env, wanted, []).length > 0) {
      const detail = `${path} sends telemetry elsewhere`;
      return warn(name, detail, 'To send it here: tri-agent-ctl connect claude --write --force');
    }
    return claude.isConnected(env, wanted)
      ? ok(name, `connected (${agent}, ${path})`)
      : warn(name, `not connected (${path})`, 'Connect it: tri-agent-ctl connect claude --write');
  } catch (error) {
    return warn(name, describeFailure(error), 'Then run doctor again.');
  }
}
