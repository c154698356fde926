import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../test/terminal.js';
import { claude } from './claude.js';

const endpoint = 'http://127.0.0.1:4318';
const env = claude.wanted(endpoint).required;
const connect = ['connect', 'claude', '--write', '--hooks', 'none'];
const disconnect = ['disconnect', 'claude'];

let home: string;
let settings: string;
let environment: Record<string, string>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
  settings = join(home, '.claude', 'settings.json');
  // Nobody listens on port 1: connecting does not need a server.
  environment = {
    HOME: home,
    TRI_AGENT_HOME: join(home, '.tri-agent'),
    TRI_AGENT_URL: 'http://127.0.0.1:1',
  };
  await mkdir(join(home, '.claude'));
});

afterEach(async () => {
  await rm(home, { recursive: true });
});

async function content(): Promise<unknown> {
  return JSON.parse(await readFile(settings, 'utf8'));
}

async function backups(): Promise<string[]> {
  const names = await readdir(join(home, '.claude'));
  return names.filter((name) => name.includes('.tri-agent-backup-')).sort();
}

async function leftovers(): Promise<string[]> {
  return (await readdir(join(home, '.claude'))).filter((name) => name.endsWith('.tmp'));
}

describe('connect claude', () => {
  test('without --write prints the settings and touches nothing', async () => {
    const { exit, out } = await run(environment, ['connect', 'claude', '--hooks', 'none']);
    expect(exit).toBe(0);
    const block = out.slice(out.indexOf('{'), out.lastIndexOf('}') + 1);
    expect(JSON.parse(block)).toEqual({ env });
    expect(await readdir(join(home, '.claude'))).toEqual([]);
    expect(await readdir(home)).toEqual(['.claude']);
  });

  test('makes the file when there is none, for its owner alone', async () => {
    expect((await run(environment, connect)).exit).toBe(0);
    expect(await content()).toEqual({ env });
    expect((await stat(settings)).mode & 0o777).toBe(0o600);
    expect(await backups()).toEqual([]);
  });

  test('keeps everything else, the form and the mode, and makes a backup', async () => {
    const before =
      '{\n    "model": "opus",\n    "hooks": {"a": [1,  2]},\n    "env": {"FOO": "1"}\n}';
    await writeFile(settings, before);
    await chmod(settings, 0o664);
    const { exit, out } = await run(environment, connect);
    expect(exit).toBe(0);
    const after = await readFile(settings, 'utf8');
    expect(after.startsWith(before.slice(0, before.indexOf('"1"')))).toBe(true);
    expect(JSON.parse(after)).toEqual({
      model: 'opus',
      hooks: { a: [1, 2] },
      env: { FOO: '1', ...env },
    });
    expect((await stat(settings)).mode & 0o777).toBe(0o664);
    const [backup = ''] = await backups();
    expect(await readFile(join(home, '.claude', backup), 'utf8')).toBe(before);
    expect(out).toContain(backup);
    expect(await leftovers()).toEqual([]);
  });

  test('writes through a symbolic link and leaves it one', async () => {
    const real = join(home, 'dotfiles.json');
    await writeFile(real, '{}');
    await symlink('../dotfiles.json', settings);
    expect((await run(environment, connect)).exit).toBe(0);
    expect((await lstat(settings)).isSymbolicLink()).toBe(true);
    expect(JSON.parse(await readFile(real, 'utf8'))).toEqual({ env });
  });

  test('honours CLAUDE_CONFIG_DIR, --scope project and --file', async () => {
    const elsewhere = join(home, 'config');
    await run({ ...environment, CLAUDE_CONFIG_DIR: elsewhere }, connect);
    await run(environment, [...connect, '--scope', 'project'], { cwd: join(home, 'project') });
    await run(environment, [...connect, '--file', 'mine.json'], { cwd: home });
    for (const file of ['config/settings.json', 'project/.claude/settings.json', 'mine.json']) {
      expect(JSON.parse(await readFile(join(home, file), 'utf8'))).toEqual({ env });
    }
  });

  test('the second time says that it is connected already, and changes nothing', async () => {
    await writeFile(settings, '{"a": 1}');
    await run(environment, connect);
    const before = await stat(settings);
    const { exit, out } = await run(environment, connect);
    expect(exit).toBe(0);
    expect(out).toContain('already connected');
    expect((await stat(settings)).mtimeMs).toBe(before.mtimeMs);
    expect(await backups()).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{"env": {"SECRET": "hunter2"', 'is not valid JSON'],
    ['broken in line 2', '{\n  "SECRET": "hunter2" "x"\n}', 'line 2'],
    ['a list', '[]', 'does not hold a JSON object'],
    ['an env that is no object', '{"env": []}', 'is not an object'],
  ])('refuses a file that is %s, in a clear sentence', async (_what, text, sentence) => {
    await writeFile(settings, text);
    const { exit, err } = await run(environment, connect);
    expect(exit).toBe(1);
    expect(err).toContain(sentence);
    expect(err).toContain('nothing was changed');
    expect(err).not.toContain('hunter2');
    expect(await readFile(settings, 'utf8')).toBe(text);
    expect(await readdir(join(home, '.claude'))).toEqual(['settings.json']);
  });

  test('refuses to take telemetry away from somebody else, and shows from whom', async () => {
    const text = JSON.stringify({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example',
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://logs.example',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=hunter2',
      },
    });
    await writeFile(settings, text);
    const { exit, err } = await run(environment, connect);
    expect(exit).toBe(1);
    expect(err).toContain('https://otel.example');
    expect(err).toContain('https://logs.example');
    expect(err).toContain('--force');
    expect(await readFile(settings, 'utf8')).toBe(text);
    const forced = await run(environment, [...connect, '--force']);
    expect(forced.exit).toBe(0);
    expect(forced.out + forced.err).not.toContain('hunter2');
    expect(await content()).toEqual({ env });
    expect((await run(environment, disconnect)).exit).toBe(0);
    expect(await content()).toEqual(JSON.parse(text));
  });

  test('--dry-run shows what would change and changes nothing', async () => {
    await writeFile(settings, '{"env": {"OTEL_METRICS_EXPORTER": "prometheus"}}');
    const { exit, out } = await run(environment, [
      'connect',
      'claude',
      '--dry-run',
      '--hooks',
      'none',
    ]);
    expect(exit).toBe(0);
    expect(out).toContain('- env.OTEL_METRICS_EXPORTER=prometheus');
    expect(out).toContain('+ env.OTEL_METRICS_EXPORTER=otlp');
    expect(await readdir(join(home, '.claude'))).toEqual(['settings.json']);
    expect(await readdir(home)).toEqual(['.claude']);
  });

  test('writes the token only for a server elsewhere, warns of it and never prints it', async () => {
    const token = 'very-secret-token+/=';
    const remote = { ...environment, TRI_AGENT_URL: 'http://10.0.0.1:1', TRI_AGENT_TOKEN: token };
    const noServer = { fetch: () => Promise.reject(new TypeError('no network in tests')) };
    const printed = await run(remote, ['connect', 'claude'], noServer);
    const { exit, out, err } = await run(remote, connect, noServer);
    expect(exit).toBe(0);
    expect(err).toContain('token is written into');
    expect(printed.out + out + err).not.toContain(encodeURIComponent(token));
    expect(await content()).toMatchObject({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://10.0.0.1:4318',
        OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer%20${encodeURIComponent(token)}`,
      },
    });
    const record = join(home, '.tri-agent', 'connections.json');
    expect((await stat(record)).mode & 0o777).toBe(0o600);
  });

  test('warns of a setting that takes the session out of the telemetry', async () => {
    await writeFile(settings, '{"env": {"OTEL_METRICS_INCLUDE_SESSION_ID": "false"}}');
    expect((await run(environment, connect)).err).toContain('OTEL_METRICS_INCLUDE_SESSION_ID');
  });

  test('follows the server to another port without being forced', async () => {
    await run(environment, connect);
    const moved = { ...environment, TRI_AGENT_OTLP_HTTP_PORT: '5318' };
    expect((await run(moved, connect)).exit).toBe(0);
    expect(await content()).toMatchObject({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:5318' },
    });
    await run(moved, disconnect);
    await expect(stat(settings)).rejects.toThrow('ENOENT');
  });

  test('keeps no backup and no record of what could not be written', async () => {
    await writeFile(settings, '{}');
    const record = join(home, '.tri-agent');
    await writeFile(record, 'a file where the data folder should be');
    const { exit, err } = await run(environment, connect);
    expect(exit).toBe(1);
    expect(err).toContain('connections.json');
    expect(await readFile(settings, 'utf8')).toBe('{}');
  });

  test('leaves the file with its owner, also when root writes it', async () => {
    await writeFile(settings, '{}');
    if (process.getuid?.() === 0) await chown(settings, 1234, 1234);
    const { uid, gid } = await stat(settings);
    expect((await run(environment, connect)).exit).toBe(0);
    expect(await stat(settings)).toMatchObject({ uid, gid });
  });
});

describe('disconnect claude', () => {
  test.each([
    ['a file with other settings', '{\n\t"model": "opus",\n\t"list": [1,   2]\n}\n'],
    ['a file on one line', '{"model":"opus"}'],
    ['an env of its own', '{\n  "env": {\n    "FOO": "1"\n  },\n  "z": {}\n}\n'],
    ['values that were replaced', '{\n  "env": {\n    "OTEL_LOGS_EXPORTER": "console"\n  }\n}\n'],
    ['Windows line ends and a byte order mark', '\ufeff{\r\n  "model": "opus"\r\n}\r\n'],
  ])('leaves %s to the letter as it was', async (_what, text) => {
    await writeFile(settings, text);
    expect((await run(environment, connect)).exit).toBe(0);
    expect(await readFile(settings, 'utf8')).not.toBe(text);
    expect((await run(environment, disconnect)).exit).toBe(0);
    expect(await readFile(settings, 'utf8')).toBe(text);
    expect(await backups()).toHaveLength(2);
  });

  test('removes the file that connect made', async () => {
    await run(environment, connect);
    await run(environment, disconnect);
    await expect(stat(settings)).rejects.toThrow('ENOENT');
  });

  test('leaves what somebody has changed since, and says so', async () => {
    await run(environment, connect);
    await writeFile(settings, JSON.stringify({ env: { ...env, OTEL_LOGS_EXPORT_INTERVAL: '9' } }));
    const { out } = await run(environment, disconnect);
    expect(out).toContain('OTEL_LOGS_EXPORT_INTERVAL');
    expect(await content()).toEqual({ env: { OTEL_LOGS_EXPORT_INTERVAL: '9' } });
  });

  test('without a record removes nothing and says what to do', async () => {
    await writeFile(settings, JSON.stringify({ env }));
    const { exit, out } = await run(environment, disconnect);
    expect(exit).toBe(0);
    expect(out).toContain('by hand');
    expect(await content()).toEqual({ env });
  });

  test('--dry-run only shows what it would do', async () => {
    await run(environment, connect);
    const { out } = await run(environment, [...disconnect, '--dry-run']);
    expect(out).toContain('- env.CLAUDE_CODE_ENABLE_TELEMETRY=1');
    expect(await content()).toEqual({ env });
    expect((await run(environment, disconnect)).out).toContain('has changed so');
  });

  test('says it as JSON, too', async () => {
    const connected = await run(environment, [...connect, '--json']);
    expect(JSON.parse(connected.out)).toMatchObject({ file: settings, endpoint, changed: true });
    const disconnected = await run(environment, [...disconnect, '--json']);
    expect(JSON.parse(disconnected.out)).toMatchObject({ changed: true, kept: [] });
    const again = await run(environment, [...disconnect, '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ changed: false });
  });
});
