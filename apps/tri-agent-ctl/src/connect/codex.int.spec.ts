import {
  chmod,
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
import { parse } from 'smol-toml';
import { run } from '../../test/terminal.js';

const endpoint = 'http://127.0.0.1:4318';
const exporterTo = (path: string, base = endpoint) => ({
  'otlp-http': { endpoint: `${base}/v1/${path}`, protocol: 'binary' },
});
const otel = {
  exporter: exporterTo('logs'),
  metrics_exporter: exporterTo('metrics'),
  trace_exporter: 'none',
  log_user_prompt: false,
};
const connect = ['connect', 'codex', '--write'];
const disconnect = ['disconnect', 'codex'];

let home: string;
let config: string;
let environment: Record<string, string>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
  config = join(home, '.codex', 'config.toml');
  // Nobody listens on port 1: connecting does not need a server.
  environment = {
    HOME: home,
    TRI_AGENT_HOME: join(home, '.tri-agent'),
    TRI_AGENT_URL: 'http://127.0.0.1:1',
  };
  await mkdir(join(home, '.codex'));
});

afterEach(async () => {
  await rm(home, { recursive: true });
});

async function content(): Promise<unknown> {
  return parse(await readFile(config, 'utf8'));
}

async function filesBeside(): Promise<string[]> {
  return (await readdir(join(home, '.codex'))).sort();
}

describe('connect codex', () => {
  test('without --write prints the settings and touches nothing', async () => {
    const { exit, out } = await run(environment, ['connect', 'codex']);
    expect(exit).toBe(0);
    const [, block = ''] = out.split('\n\n');
    expect(parse(block)).toEqual({ otel });
    expect(await readdir(home)).toEqual(['.codex']);
  });

  test('makes the file when there is none, for its owner alone, and removes it again', async () => {
    expect((await run(environment, connect)).exit).toBe(0);
    expect(await content()).toEqual({ otel });
    expect((await stat(config)).mode & 0o777).toBe(0o600);
    await run(environment, disconnect);
    expect(await filesBeside()).toEqual([
      expect.stringMatching(/^config\.toml\.tri-agent-backup-/),
    ]);
  });

  test('keeps comments, form, mode and a symbolic link, and makes a backup', async () => {
    const real = join(home, 'dotfiles.toml');
    const before = '# mine\nmodel = "x"   # best\n\n[otel]\nenvironment = \'dev\'\n\n[tui] # last';
    await writeFile(real, before);
    await chmod(real, 0o664);
    await symlink('../dotfiles.toml', config);
    const { exit, out } = await run(environment, connect);
    expect(exit).toBe(0);
    const after = await readFile(real, 'utf8');
    expect(
      after.startsWith('# mine\nmodel = "x"   # best\n\n[otel]\nenvironment = \'dev\'\n'),
    ).toBe(true);
    expect(after.endsWith('\n\n[tui] # last')).toBe(true);
    expect((await lstat(config)).isSymbolicLink()).toBe(true);
    expect((await stat(real)).mode & 0o777).toBe(0o664);
    const backup = (await filesBeside()).find((name) => name.includes('backup')) ?? '';
    expect(out).toContain(backup);
    expect(await readFile(join(home, '.codex', backup), 'utf8')).toBe(before);
  });

  test('honours CODEX_HOME and --file, and says why a project has no settings for it', async () => {
    const elsewhere = join(home, 'config');
    await run({ ...environment, CODEX_HOME: elsewhere }, connect);
    await run(environment, [...connect, '--file', 'mine.toml'], { cwd: home });
    for (const file of ['config/config.toml', 'mine.toml']) {
      expect(parse(await readFile(join(home, file), 'utf8'))).toEqual({ otel });
    }
    const { exit, err } = await run(environment, [...connect, '--scope', 'project']);
    expect(exit).toBe(1);
    expect(err).toContain('ignores [otel] in a project');
  });

  test('the second time says that it is connected already, also when written otherwise', async () => {
    await run(environment, connect);
    const reformatted = (await readFile(config, 'utf8'))
      .replaceAll('"', "'")
      .replace('{ otlp', '{otlp');
    await writeFile(config, reformatted);
    const { exit, out } = await run(environment, connect);
    expect(exit).toBe(0);
    expect(out).toContain('already connected');
    expect(await readFile(config, 'utf8')).toBe(reformatted);
  });

  test.each([
    ['no TOML', 'token = "hunter2\n', 'is not valid TOML (line 1)'],
    [
      'an otel written as a value',
      'otel = { environment = "hunter2" }',
      'cannot be changed safely',
    ],
    ['an otel that is something else', 'otel = "hunter2"', 'cannot be changed safely'],
    ['a list of tables', '[[otel]]\nenvironment = "hunter2"', 'cannot be changed safely'],
  ])('refuses %s, in a clear sentence', async (_what, text, sentence) => {
    await writeFile(config, text);
    const { exit, err } = await run(environment, connect);
    expect(exit).toBe(1);
    expect(err).toContain(sentence);
    expect(err).toContain('nothing was changed');
    expect(err).not.toContain('hunter2');
    expect(await readFile(config, 'utf8')).toBe(text);
    expect(await filesBeside()).toEqual(['config.toml']);
  });

  test.each([
    [
      'a value',
      `[otel]\nexporter = { otlp-grpc = { endpoint = "https://me:hunter2@otel.example", headers = { x-key = "hunter2" } } } # mine\n`,
    ],
    [
      'dotted keys',
      'otel.metrics_exporter = { otlp-http = { endpoint = "https://otel.example", protocol = "json" } }\n',
    ],
  ])(
    'refuses to take telemetry away from somebody else (%s) unless forced',
    async (_form, text) => {
      await writeFile(config, text);
      const { exit, err } = await run(environment, connect);
      expect(exit).toBe(1);
      expect(err).toContain('otel.example');
      expect(err).toContain('--force');
      expect(await readFile(config, 'utf8')).toBe(text);
      const forced = await run(environment, [...connect, '--force']);
      expect(forced.exit).toBe(0);
      expect(err + forced.out + forced.err).not.toContain('hunter2');
      expect(await content()).toMatchObject({ otel });
      expect((await run(environment, disconnect)).exit).toBe(0);
      expect(await readFile(config, 'utf8')).toBe(text);
    },
  );

  test('names a rival that is a table of its own, and leaves it to a person', async () => {
    await writeFile(config, '[otel.exporter."otlp-http"]\nendpoint = "https://otel.example"\n');
    expect((await run(environment, connect)).err).toContain('https://otel.example');
    const forced = await run(environment, [...connect, '--force']);
    expect(forced.exit).toBe(1);
    expect(forced.err).toContain('cannot be changed safely');
    expect(forced.err).toContain('tri-agent-ctl connect codex');
  });

  test('leaves traces and prompts as somebody chose them', async () => {
    const chosen = {
      trace_exporter: exporterTo('traces', 'https://otel.example'),
      log_user_prompt: true,
    };
    await writeFile(
      config,
      '[otel]\nlog_user_prompt = true\n[otel.trace_exporter.otlp-http]\nendpoint = "https://otel.example/v1/traces"\nprotocol = "binary"\n',
    );
    expect((await run(environment, connect)).exit).toBe(0);
    expect(await content()).toEqual({ otel: { ...otel, ...chosen } });
  });

  test('--dry-run shows what would change and changes nothing', async () => {
    await writeFile(config, '[otel]\nexporter = "none"\n');
    const { exit, out } = await run(environment, ['connect', 'codex', '--dry-run']);
    expect(exit).toBe(0);
    expect(out).toContain('- otel.exporter="none"');
    expect(out).toContain('+ otel.exporter={ otlp-http = ');
    expect(await filesBeside()).toEqual(['config.toml']);
    expect(await readdir(home)).toEqual(['.codex']);
  });

  test('writes the token only for a server elsewhere, warns of it and never prints it', async () => {
    const token = 'very-secret-"token\\';
    const remote = { ...environment, TRI_AGENT_URL: 'http://10.0.0.1:1', TRI_AGENT_TOKEN: token };
    const noServer = { fetch: () => Promise.reject(new TypeError('no network in tests')) };
    const printed = await run(remote, ['connect', 'codex'], noServer);
    const { exit, out, err } = await run(remote, connect, noServer);
    expect(exit).toBe(0);
    expect(err).toContain('token is written into');
    expect(printed.out + out + err).not.toContain('very-secret');
    const headers = { Authorization: `Bearer ${token}` };
    expect(await content()).toMatchObject({ otel: { exporter: { 'otlp-http': { headers } } } });
  });

  test('follows the server to another port without being forced', async () => {
    await writeFile(config, 'model = "x"');
    await run(environment, connect);
    const moved = { ...environment, TRI_AGENT_OTLP_HTTP_PORT: '5318' };
    expect((await run(moved, connect)).exit).toBe(0);
    const exporter = exporterTo('logs', 'http://127.0.0.1:5318');
    expect(await content()).toMatchObject({ otel: { exporter } });
    await run(moved, disconnect);
    expect(await readFile(config, 'utf8')).toBe('model = "x"');
  });
});

describe('disconnect codex', () => {
  test.each([
    ['other settings', '# a\nmodel = "x"\n\n[projects."/a]b"]\ntrust_level = "trusted"\n'],
    ['no line break at its end', 'model = "x"'],
    ['a table of its own', '[otel]\n  environment = "dev" # here\n  # and here\n\n[tui]\n'],
    ['values that were replaced', "[otel]\nexporter = 'none' # off\nlog_user_prompt=true\n"],
    ['dotted keys', 'otel.environment = "dev"\n\n[tui]\n'],
    ['Windows line ends and a byte order mark', '\ufeffmodel = "x"\r\n\r\n[tui]\r\n'],
    ['nothing in it', ''],
  ])('leaves a file with %s to the letter as it was', async (_what, text) => {
    await writeFile(config, text);
    expect((await run(environment, connect)).exit).toBe(0);
    expect(await readFile(config, 'utf8')).not.toBe(text);
    expect((await run(environment, disconnect)).exit).toBe(0);
    const left = await readFile(config, 'utf8');
    expect(left).toBe(text);
  });

  test('leaves what somebody has changed since, and says so', async () => {
    await run(environment, connect);
    const text = await readFile(config, 'utf8');
    await writeFile(config, text.replace('log_user_prompt = false', 'log_user_prompt = true'));
    const { out } = await run(environment, disconnect);
    expect(out).toContain('log_user_prompt');
    expect(await content()).toEqual({ otel: { log_user_prompt: true } });
  });

  test('without a record removes nothing and says what to do', async () => {
    const text =
      '[otel]\nexporter = { otlp-http = { endpoint = "http://127.0.0.1:4318/v1/logs" } }\n';
    await writeFile(config, text);
    const { exit, out } = await run(environment, disconnect);
    expect(exit).toBe(0);
    expect(out).toContain('by hand');
    expect(await readFile(config, 'utf8')).toBe(text);
  });
});
