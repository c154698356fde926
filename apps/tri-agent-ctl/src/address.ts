import { join, resolve } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';

/** Where the server is and what opens it. */
export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | null;
  readonly tokenFile: string;
  /** Whether the token is a setting; else it is the file's. */
  readonly tokenIsSet: boolean;
  /** Whether nobody but this machine can reach it. */
  readonly onLoopback: boolean;
}

/**
 * The address where it takes no reading of settings to know it: nothing is set but the data folder, a
 * server on loopback and a token. The whole schema of settings takes longer to load than a short
 * question to ask, and says the same. Undefined where that schema has to be asked.
 */
export function plainAddress(
  environment: Readonly<Record<string, string | undefined>>,
): ServerAddress | undefined {
  const {
    TRI_AGENT_HOME: folder,
    TRI_AGENT_URL: url,
    TRI_AGENT_TOKEN: token,
    ...rest
  } = environment;
  const others = Object.keys(rest).filter((name) => name.startsWith('TRI_AGENT_') && rest[name]);
  const home = resolve(folder || join(homedir(), '.tri-agent'));
  if (others.length > 0 || existsSync(join(home, 'config.json'))) return undefined;
  if (url && !/^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?\/*$/.test(url)) return undefined;
  if (url && !URL.canParse(url)) return undefined;
  if (token && token.length < 16) return undefined;
  const tokenFile = join(home, 'token');
  return {
    url: (url || 'http://127.0.0.1:8080').replace(/\/+$/, ''),
    token: token || readToken(tokenFile),
    tokenFile,
    tokenIsSet: Boolean(token),
    onLoopback: true,
  };
}

export function readToken(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch {
    // Absent or not ours to read: the server decides whether it is needed, and `doctor` explains.
    return null;
  }
}
