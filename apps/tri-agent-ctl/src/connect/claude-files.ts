import { join, resolve } from 'node:path';
import { Failure } from '../failure.js';
import type { Io } from '../io.js';
import { homeOf, hostOf, otlpUrl, type Server } from '../server.js';
import { claudeEnv, type Env } from './claude-settings.js';
import type { JsonObject } from './json-edit.js';
import type { SettingsFile } from './settings-file.js';

export const agent = 'claude-code';

export interface Place {
  readonly scope: 'user' | 'project';
  readonly file?: string;
}

/** Where Claude Code reads its settings. */
export function settingsPath(io: Io, { scope, file }: Place): string {
  const here = io.cwd ?? process.cwd();
  if (file !== undefined) return resolve(here, file);
  if (scope === 'project') return join(here, '.claude', 'settings.json');
  return join(io.env.CLAUDE_CONFIG_DIR || join(homeOf(io), '.claude'), 'settings.json');
}

/** The environment that Claude Code needs to report to this server. */
export function envFor(server: Server, otlpPort: number | null | undefined): Env {
  const endpoint = otlpUrl(server, otlpPort);
  if (server.onLoopback) return claudeEnv(endpoint);
  if (server.token !== null) return claudeEnv(endpoint, server.token);
  throw new Failure(
    'token_missing',
    `The server at ${hostOf(server.url)} wants a token and there is none in ${server.tokenFile}.`,
    'Set TRI_AGENT_TOKEN to the token of that server, then run this again.',
  );
}

/** The `env` of the settings. @throws {Failure} when it is something else than an object. */
export function envOf({ path, content }: SettingsFile): JsonObject {
  const { env = {} } = content;
  if (typeof env === 'object' && env !== null && !Array.isArray(env)) return env as JsonObject;
  throw new Failure(
    'settings_invalid',
    `"env" in ${path} is not an object; nothing was changed.`,
    'Repair the file, then run this again.',
  );
}
