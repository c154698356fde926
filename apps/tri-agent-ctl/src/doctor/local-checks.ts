import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { limits } from '#kernel/limits.js';
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
