import { join } from 'node:path';
import { ConfigError } from '#platform/config.js';
import { readOrMakeToken } from '#platform/token-file.js';
import { readToken } from '../address.js';
import { Failure, reasonOf } from '../failure.js';
import { hostOf, type Server } from '../server.js';
import type { HooksMode, HooksWanted } from './agent.js';

/**
 * What hooks that lead to this server have to know. The server's own token opens them on other hosts;
 * commands are for this one alone, where the server can see the process of the agent.
 *
 * @param mayMake whether the token of hooks is made where there is none yet.
 * @throws {Failure} when the mode needs what is not there.
 */
export function hooksWanted(
  server: Server,
  mode: HooksMode | 'none' = 'open',
  mayMake = false,
): HooksWanted {
  const { url, token } = server;
  if (mode === 'none') return { mode, url, token: '', command: null };
  const hasCommands = server.onLoopback && process.platform !== 'win32';
  if (mode === 'closed' && !hasCommands) {
    throw new Failure(
      'hooks_impossible',
      `Hooks that stop the agent when ${hostOf(url)} does not answer need a server and a shell on this machine; nothing was changed.`,
      'Use --hooks open: the agent then goes on without an answer.',
    );
  }
  if (!server.onLoopback) return { mode, url, token: token ?? '', command: null };
  const { home } = server.loaded.config;
  const tokenFile = join(home, 'hooks-token');
  return {
    mode,
    url,
    token: mayMake ? madeToken(home) : (readToken(tokenFile) ?? ''),
    command: hasCommands ? { tokenFile } : null,
  };
}

/** The server makes the same at its first start, if it was not started yet. */
function madeToken(home: string): string {
  try {
    return readOrMakeToken(home, 'hooks-token');
  } catch (error) {
    const told = error instanceof ConfigError;
    throw new Failure(
      'hooks_token_unusable',
      told
        ? reasonOf(error)
        : `The token of hooks in ${home} cannot be kept: ${reasonOf(error)}; nothing was changed.`,
      'Repair that, or leave the hooks away with --hooks none.',
    );
  }
}
