import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, isLoopback, loadConfig } from './config.js';

describe('The configuration', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  const load = (environment: Record<string, string>, file: object = {}) => {
    writeFileSync(join(home, 'config.json'), JSON.stringify(file));
    return loadConfig({ TRI_AGENT_HOME: home, ...environment }).config;
  };

  test('takes a setting from the environment before the file', () => {
    const file = { httpPort: 1_111, otlpHttpPort: 2_222, roles: ['api', 'projector'] };
    expect(load({ TRI_AGENT_HTTP_PORT: '3333' }, file)).toMatchObject({
      httpPort: 3_333,
      otlpHttpPort: 2_222,
      otlpGrpcPort: 4_317,
      roles: ['api', 'projector'],
    });
  });

  test.each([null, true, [8_080], 1.5, 65_536, -1, ' ', '0x50', '1e3'])(
    'refuses %j as a port',
    (httpPort) => {
      expect(() => load({}, { httpPort })).toThrow(
        /"httpPort" in .* must be (a port number|0 to 65535)/,
      );
    },
  );

  test.each([
    [[], /must name a role/],
    [5, /must be text with commas/],
    [['cook'], /must be "all" or some of/],
  ])('refuses %j as roles', (roles, sentence) => {
    expect(() => load({}, { roles })).toThrow(ConfigError);
    expect(() => load({}, { roles })).toThrow(sentence);
  });

  test('splits patterns at commas, but not at those of a quantifier', () => {
    const { redact } = load({ TRI_AGENT_REDACT: 'corp-[a-z]{2,4}\\d{20,}, second{1},third' });
    expect(redact.map(({ source }) => source)).toEqual([
      'corp-[a-z]{2,4}\\d{20,}',
      'second{1}',
      'third',
    ]);
  });

  test('reads the file of the default folder where the variable is empty', () => {
    const inDefault = loadConfig({});
    expect(loadConfig({ TRI_AGENT_HOME: '' }).file).toBe(inDefault.file);
  });

  test('takes only addresses of this machine for loopback', () => {
    expect(['127.0.0.1', '127.8.8.8', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['127.example.org', '0.0.0.0', '::', '10.0.0.1'].some(isLoopback)).toBe(false);
  });
});
