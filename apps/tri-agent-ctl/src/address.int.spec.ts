import fc from 'fast-check';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainAddress } from './address.js';
import { findServer } from './server.js';
import { run } from '../test/terminal.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
});
afterEach(() => rm(home, { recursive: true }));

/** What the whole schema of settings makes of it; undefined where it finds a setting wrong. */
function readInFull(env: Record<string, string>) {
  const io = { stdout: process.stdout, stderr: process.stderr, isTTY: false };
  try {
    const { url, token, tokenFile, tokenIsSet, onLoopback } = findServer({
      ...io,
      env,
      now: () => new Date(),
    });
    return { url, token, tokenFile, tokenIsSet, onLoopback };
  } catch {
    return undefined;
  }
}

describe('The short way to the address', () => {
  const value = (...some: string[]) => fc.option(fc.constantFrom('', ...some), { nil: undefined });
  const urls = [
    ...['http://127.0.0.1:9', 'http://localhost/', 'http://[::1]:9', 'https://127.0.0.1'],
    ...['http://example.test', 'http://127.0.0.1:99999', 'http://127.0.0.1:9/x', 'nonsense'],
  ];
  const variables = fc.record({
    TRI_AGENT_URL: value(...urls),
    TRI_AGENT_TOKEN: value('short', 'a-token-long-enough', '0123456789abcdef'),
    TRI_AGENT_HTTP_PORT: value('9', 'x'),
    TRI_AGENT_BIND: value('::1', '0.0.0.0'),
    TRI_AGENT_OTLP_HTTP_PORT: value('9'),
  });

  test('says what the settings read in full say, wherever it says anything', async () => {
    await writeFile(join(home, 'token'), 'the-token-of-the-file\n');
    let said = 0;
    fc.assert(
      fc.property(variables, (some) => {
        const given = Object.entries(some).filter((it): it is [string, string] => Boolean(it[1]));
        const env = { ...Object.fromEntries(given), TRI_AGENT_HOME: home };
        const plain = plainAddress(env);
        if (plain === undefined) return;
        said += 1;
        expect(plain).toEqual(readInFull(env));
      }),
      { numRuns: 500 },
    );
    expect(said).toBeGreaterThan(10);
  });

  test('is not taken where config.json says more', async () => {
    expect(plainAddress({ TRI_AGENT_HOME: home })?.url).toBe('http://127.0.0.1:8080');
    await writeFile(join(home, 'config.json'), '{"httpPort": 1}');
    expect(plainAddress({ TRI_AGENT_HOME: home })).toBeUndefined();
    const { err } = await run({ TRI_AGENT_HOME: home }, ['usage']);
    expect(err).toContain('No server answers at http://127.0.0.1:1.');
  });

  test('has no token where its file cannot be read', async () => {
    await mkdir(join(home, 'token'));
    expect(plainAddress({ TRI_AGENT_HOME: home })?.token).toBeNull();
  });
});
