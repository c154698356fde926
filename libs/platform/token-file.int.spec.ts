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
import { readOrMakeToken, type TokenFile } from './token-file.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'token-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});
describe.each<TokenFile>(['token', 'hooks-token'])('The file %s', (name) => {
  const file = () => join(home, name);

  test('is made at the first start, for its owner only, and stays', () => {
    const token = readOrMakeToken(home, name);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readFileSync(file(), 'utf8')).toBe(`${token}\n`);
    expect(readOrMakeToken(home, name)).toBe(token);
    expect(readdirSync(home)).toEqual([name]);
  });

  test('differs from server to server', () => {
    const first = readOrMakeToken(home, name);
    rmSync(file());
    expect(readOrMakeToken(home, name)).not.toBe(first);
  });

  test.each([0o640, 0o604, 0o644])('is refused when others may read it (mode %o)', (mode) => {
    readOrMakeToken(home, name);
    chmodSync(file(), mode);
    expect(() => readOrMakeToken(home, name)).toThrow(/can be read by other users.*chmod 600/);
  });

  test.each(['', 'short', 'x'.repeat(513)])('is refused when it is %j', (text) => {
    writeFileSync(file(), text, { mode: 0o600 });
    expect(() => readOrMakeToken(home, name)).toThrow('holds no token');
  });
});
