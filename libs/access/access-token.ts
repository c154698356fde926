import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { ConfigError } from '#platform/config.js';

const TOKEN_BYTES = 32;
const TOKEN_CHARACTERS_MIN = 16;
const OWNER_ONLY = 0o600;
const GROUP_AND_OTHERS = 0o077;

/** The one token of this server. Only its hash is kept in memory. */
export class AccessToken {
  private readonly hash: Buffer;

  constructor(token: string) {
    this.hash = sha256(token);
  }

  /** Takes the same time whatever the candidate is. */
  matches(candidate: string): boolean {
    return timingSafeEqual(this.hash, sha256(candidate));
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * The token in the file `token` of the data folder, which is made when it is not there.
 *
 * @throws {ConfigError} when others than its owner may read the file, or it holds no token.
 */
export function readOrMakeToken(home: string): string {
  const file = join(home, 'token');
  if (statSync(file, { throwIfNoEntry: false }) === undefined) makeToken(file);
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
