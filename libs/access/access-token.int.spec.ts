import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessToken, readOrMakeToken } from './access-token.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'token-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});
const file = () => join(home, 'token');

describe('The access token', () => {
  test('is made at the first start, for its owner only, and stays', () => {
    const token = readOrMakeToken(home);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readFileSync(file(), 'utf8')).toBe(`${token}\n`);
    expect(readOrMakeToken(home)).toBe(token);
    expect(readdirSync(home)).toEqual(['token']);
  });

  test('differs from server to server', () => {
    const first = readOrMakeToken(home);
    rmSync(file());
    expect(readOrMakeToken(home)).not.toBe(first);
  });

  test.each([0o640, 0o604, 0o644])('is refused when others may read it (mode %o)', (mode) => {
    readOrMakeToken(home);
    chmodSync(file(), mode);
    expect(() => readOrMakeToken(home)).toThrow(/can be read by other users.*chmod 600/);
  });

  test.each(['', 'short', 'x'.repeat(513)])('is refused when it is %j', (text) => {
    writeFileSync(file(), text, { mode: 0o600 });
    expect(() => readOrMakeToken(home)).toThrow('holds no token');
  });

  test('matches itself and nothing else', () => {
    const token = new AccessToken('a token of this server');
    expect(token.matches('a token of this server')).toBe(true);
    expect(token.matches('a token of this serveR')).toBe(false);
    expect(token.matches('')).toBe(false);
  });
});
