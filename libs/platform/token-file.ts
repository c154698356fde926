import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { ConfigError } from './config.js';

const TOKEN_BYTES = 32;
const TOKEN_CHARACTERS_MIN = 16;
const OWNER_ONLY = 0o600;
const FOLDER_OF_OWNER = 0o700;
const GROUP_AND_OTHERS = 0o077;

/** `token` opens all of the API; `hooks-token` only what agents' hooks tell and ask. */
export type TokenFile = 'token' | 'hooks-token';

/**
 * The token in that file of the data folder; the file, and the folder, is made when it is not there.
 *
 * @throws {ConfigError} when others than its owner may read the file, or it holds no token.
 */
export function readOrMakeToken(home: string, name: TokenFile): string {
  const file = join(home, name);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    mkdirSync(home, { recursive: true, mode: FOLDER_OF_OWNER });
    makeToken(file);
  }
  const { mode } = statSync(file);
  if (process.platform !== 'win32' && (mode & GROUP_AND_OTHERS) !== 0) {
    throw new ConfigError(
      `${file} can be read by other users, so its token is no secret. ` +
        'Delete the file to have a new one made, or, if nobody has read it, run: chmod 600 ' +
        file,
    );
  }
  const token = readFileSync(file, 'utf8').trim();
  if (token.length < TOKEN_CHARACTERS_MIN || token.length > limits.tokenCharactersMax) {
    throw new ConfigError(
      `${file} holds no token (${TOKEN_CHARACTERS_MIN} to ${limits.tokenCharactersMax} characters). ` +
        'Delete the file to have a new one made.',
    );
  }
  return token;
}

/** Whole or not at all, and never over one that another process made at the same moment. */
function makeToken(file: string): void {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const descriptor = openSync(draft, 'wx', OWNER_ONLY);
  try {
    writeSync(descriptor, `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`);
    fsyncSync(descriptor);
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
}
