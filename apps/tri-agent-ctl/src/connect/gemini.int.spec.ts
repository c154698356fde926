import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { run, type Outcome } from '../../test/terminal.js';

const endpoint = 'http://127.0.0.1:4318';
const variables = {
  GEMINI_TELEMETRY_ENABLED: 'true',
  GEMINI_TELEMETRY_TARGET: 'local',
  GEMINI_TELEMETRY_OTLP_ENDPOINT: endpoint,
  GEMINI_TELEMETRY_OTLP_PROTOCOL: 'http',
  GEMINI_TELEMETRY_LOG_PROMPTS: 'false',
  GEMINI_TELEMETRY_TRACES_ENABLED: 'false',
};
const connect = ['connect', 'gemini', '--write'];
const disconnect = ['disconnect', 'gemini'];

let home: string;
let file: string;
let project: string;
let environment: Record<string, string>;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
  home = join(folder, 'home');
  project = join(folder, 'project');
  file = join(home, '.gemini', '.env');
  // Nobody listens on port 1: connecting does not need a server.
  environment = {
    HOME: home,
    TRI_AGENT_HOME: join(home, '.tri-agent'),
    TRI_AGENT_URL: 'http://127.0.0.1:1',
  };
  await mkdir(join(home, '.gemini'), { recursive: true });
  await mkdir(project);
});

afterEach(async () => {
  await rm(dirname(home), { recursive: true });
});

function inProject(argv: readonly string[], env = environment): Promise<Outcome> {
  return run(env, argv, { cwd: project });
}

async function valuesOf(path = file): Promise<unknown> {
  return { ...parseEnv(await readFile(path, 'utf8')) };
}

describe('connect gemini', () => {
  test('without --write prints lines for a shell and touches nothing', async () => {
    const { exit, out } = await inProject(['connect', 'gemini']);
    expect(exit).toBe(0);
    const exported = [...out.matchAll(/^export (.*)=(.*)$/gm)].map(([, key, value]) => [
      key,
      value,
    ]);
    expect(Object.fromEntries(exported)).toEqual(variables);
    expect(await readdir(join(home, '.gemini'))).toEqual([]);
  });

  test('makes the file when there is none, for its owner alone, and removes it again', async () => {
    const { exit, out, err } = await inProject(connect);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toContain('folders that it trusts');
    expect(await valuesOf()).toEqual(variables);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await inProject(disconnect);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  test('says that it is connected already, and changes nothing then', async () => {
    await inProject(connect);
    const before = await readFile(file, 'utf8');
    const { exit, out } = await inProject(connect);
    expect(exit).toBe(0);
    expect(out).toContain('already connected');
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test('uses the ~/.env that is there rather than hide it behind a new file', async () => {
    await writeFile(join(home, '.env'), 'GEMINI_API_KEY=hunter2\n');
    const { exit, out } = await inProject(connect);
    expect(exit).toBe(0);
    expect(out).not.toContain('hunter2');
    expect(await valuesOf(join(home, '.env'))).toEqual({ GEMINI_API_KEY: 'hunter2', ...variables });
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  test('honours GEMINI_CLI_HOME, --scope project and --file', async () => {
    const elsewhere = join(home, 'other');
    await inProject(connect, { ...environment, GEMINI_CLI_HOME: elsewhere });
    await inProject([...connect, '--scope', 'project']);
    await inProject([...connect, '--file', 'mine.env']);
    for (const path of [join(elsewhere, '.gemini/.env'), join(project, '.gemini/.env')]) {
      expect(await valuesOf(path)).toEqual(variables);
    }
    expect(await valuesOf(join(project, 'mine.env'))).toEqual(variables);
  });

  test('warns where a file nearer to the project is read instead', async () => {
    await writeFile(join(project, '.env'), 'APP=1\n');
    const { exit, err } = await inProject(connect);
    expect(exit).toBe(0);
    expect(err).toContain(`Gemini CLI reads ${join(project, '.env')} and not ${file}`);
    expect(err).toContain(`--file ${join(project, '.env')}`);
  });

  test('warns where the new file hides the one that was read so far', async () => {
    await writeFile(file, 'GEMINI_API_KEY=hunter2\n');
    const { err } = await inProject([...connect, '--scope', 'project']);
    expect(err).toContain(`no longer ${file}`);
    expect(err).not.toContain('hunter2');
  });

  test('warns of what is exported and says otherwise', async () => {
    const shell = {
      GEMINI_TELEMETRY_ENABLED: 'false',
      GEMINI_TELEMETRY_OUTFILE: '/tmp/telemetry.log',
      OTEL_BLRP_SCHEDULE_DELAY: '3600000',
    };
    const { exit, err } = await inProject(connect, { ...environment, ...shell });
    expect(exit).toBe(0);
    for (const name of Object.keys(shell)) expect(err).toContain(name);
  });

  test.each([
    ['GEMINI_TELEMETRY_OTLP_ENDPOINT=https://me:hunter2@otel.example\n', 'otel.example'],
    ['GEMINI_TELEMETRY_TARGET=gcp\n', 'GEMINI_TELEMETRY_TARGET=gcp'],
    ['GEMINI_TELEMETRY_OUTFILE=/tmp/out.log\n', '/tmp/out.log'],
  ])('refuses to take telemetry away from somebody else unless forced: %j', async (text, shown) => {
    await writeFile(file, text);
    const { exit, err } = await inProject(connect);
    expect(exit).toBe(1);
    expect(err).toContain(shown);
    expect(err).not.toContain('hunter2');
    expect(await readFile(file, 'utf8')).toBe(text);
    const forced = await inProject([...connect, '--force']);
    expect(forced.exit).toBe(0);
    expect(forced.out + forced.err).not.toContain('hunter2');
    const values = await valuesOf();
    expect(values).toMatchObject(variables);
    expect((values as Record<string, string>)['GEMINI_TELEMETRY_OUTFILE'] ?? '').toBe('');
    expect((await inProject(connect)).out).toContain('already connected');
    await inProject(disconnect);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test.each([
    [{ otlpEndpoint: 'https://otel.example' }, {}],
    [{ target: 'gcp' }, {}],
    [{ outfile: '/tmp/out.log' }, { GEMINI_TELEMETRY_OUTFILE: '' }],
    [{ useCliAuth: true }, { GEMINI_TELEMETRY_USE_CLI_AUTH: 'false' }],
  ])('sees where its settings.json sends telemetry: %j', async (telemetry, more) => {
    const settings = join(home, '.gemini', 'settings.json');
    await writeFile(settings, JSON.stringify({ telemetry: { enabled: true, ...telemetry } }));
    const { exit, err } = await inProject(connect);
    expect(exit).toBe(1);
    expect(err).toContain(`telemetry.${Object.keys(telemetry)[0] ?? ''}=`);
    expect((await inProject([...connect, '--force'])).exit).toBe(0);
    expect(await valuesOf()).toEqual({ ...variables, ...more });
    expect((await inProject(connect)).out).toContain('already connected');
  });

  test('refuses a file in which the lines would be a part of something else', async () => {
    const text = 'KEY="hunter2\n';
    await writeFile(file, text);
    const { exit, err } = await inProject(connect);
    expect(exit).toBe(1);
    expect(err).toContain('cannot be changed safely; nothing was changed');
    expect(err).not.toContain('hunter2');
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test('--dry-run shows what would change and changes nothing', async () => {
    const { exit, out } = await inProject(['connect', 'gemini', '--dry-run']);
    expect(exit).toBe(0);
    expect(out).toContain('+ GEMINI_TELEMETRY_ENABLED=true');
    expect(await readdir(join(home, '.gemini'))).toEqual([]);
    expect(await readdir(home)).toEqual(['.gemini']);
  });

  test('writes the token only for a server elsewhere, warns of it and never prints it', async () => {
    const token = 'very-secret-#token+/=';
    const remote = { ...environment, TRI_AGENT_URL: 'http://10.0.0.1:1', TRI_AGENT_TOKEN: token };
    const noServer = { cwd: project, fetch: () => Promise.reject(new TypeError('no network')) };
    const printed = await run(remote, ['connect', 'gemini'], noServer);
    const { exit, out, err } = await run(remote, connect, noServer);
    expect(exit).toBe(0);
    expect(err).toContain('token is written into');
    expect(printed.out + out + err).not.toContain('very-secret');
    expect(await valuesOf()).toMatchObject({
      OTEL_EXPORTER_OTLP_HEADERS: `Authorization=${encodeURIComponent(`Bearer ${token}`)}`,
    });
  });
});

describe('disconnect gemini', () => {
  test.each([
    ['other variables', '# a\nGEMINI_API_KEY="x y"\nexport B=2 # c\n'],
    ['no line break at its end', 'B=2'],
    ['variables that were overruled', 'GEMINI_TELEMETRY_ENABLED=false\nB=2\n'],
    ['Windows line ends and a byte order mark', '\ufeffB=2\r\nC=3\r\n'],
    ['nothing in it', ''],
  ])('leaves a file with %s to the letter as it was', async (_what, text) => {
    await writeFile(file, text);
    expect((await inProject(connect)).exit).toBe(0);
    expect(await readFile(file, 'utf8')).not.toBe(text);
    expect((await inProject(disconnect)).exit).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test('leaves what somebody has changed since, and says so', async () => {
    await inProject(connect);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('LOG_PROMPTS=false', 'LOG_PROMPTS=true'));
    const { out } = await inProject(disconnect);
    expect(out).toContain('GEMINI_TELEMETRY_LOG_PROMPTS');
    expect(await valuesOf()).toEqual({ GEMINI_TELEMETRY_LOG_PROMPTS: 'true' });
  });

  test('without a record removes nothing and says what to do', async () => {
    await writeFile(file, `GEMINI_TELEMETRY_OTLP_ENDPOINT=${endpoint}\n`);
    const { exit, out } = await inProject(disconnect);
    expect(exit).toBe(0);
    expect(out).toContain('by hand');
    expect(await valuesOf()).toEqual({ GEMINI_TELEMETRY_OTLP_ENDPOINT: endpoint });
  });

  test('names the file that was connected where that is another one', async () => {
    await inProject([...connect, '--scope', 'project']);
    const { exit, out } = await inProject(disconnect);
    expect(exit).toBe(0);
    const named = `--file ${join(project, '.gemini/.env')}`;
    expect(out).toContain(`tri-agent-ctl disconnect gemini ${named}`);
    await inProject([...disconnect, ...named.split(' ')]);
    await expect(stat(join(project, '.gemini/.env'))).rejects.toThrow('ENOENT');
  });
});
