import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StubServer } from '../../test/stub-server.js';
import { run } from '../../test/terminal.js';
import type { Finding } from './finding.js';
import { isAtLeast, sumOfMetric } from './server-checks.js';

let server: StubServer;
let home: string;
let data: string;
let env: Record<string, string>;

beforeEach(async () => {
  server = await StubServer.start();
  home = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
  data = join(home, '.tri-agent');
  await mkdir(data, { mode: 0o700 });
  const { TRI_AGENT_TOKEN: token = '', ...others } = server.env(home);
  await writeFile(join(data, 'token'), token, { mode: 0o600 });
  env = others;
  await run(env, ['connect', 'claude', '--write']);
});

afterEach(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

interface Report {
  readonly exit: number;
  readonly ok: boolean;
  readonly states: Record<string, string>;
  readonly of: (name: string) => Finding | undefined;
}

async function doctor(environment = env, now = new Date()): Promise<Report> {
  const { exit, out } = await run(environment, ['doctor', '--json'], { now: () => now });
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Finding[] };
  return {
    exit,
    ok,
    states: Object.fromEntries(checks.map(({ name, state }) => [name, state])),
    of: (name) => checks.find((finding) => finding.name === name),
  };
}

describe('doctor', () => {
  test('finds nothing wrong where nothing is', async () => {
    const { exit, ok, states } = await doctor();
    expect(states).toEqual({
      Node: 'ok',
      'data folder': 'ok',
      token: 'ok',
      disk: 'ok',
      server: 'ok',
      clock: 'ok',
      'ready: log': 'ok',
      access: 'ok',
      SQLite: 'ok',
      'OTLP/HTTP port': 'ok',
      'OTLP/gRPC port': 'ok',
      'Claude Code': 'ok',
      'Codex CLI': 'ok',
      'Gemini CLI': 'ok',
      'test export': 'ok',
    });
    expect([exit, ok]).toEqual([0, true]);
  });

  test('sends one record that is no session, and the token only to its own port', async () => {
    await doctor();
    expect(server.exports).toHaveLength(1);
    const [sent] = server.exports;
    expect(JSON.stringify(sent)).toContain('tri-agent-doctor');
    expect(JSON.stringify(sent)).toContain('tri_agent_doctor.ping');
    expect(JSON.stringify(sent)).not.toContain('session');
    expect(sent).toMatchObject({ authorization: undefined });
  });

  test('prints a line for each check and what to do about it', async () => {
    await chmod(data, 0o755);
    const { exit, out } = await run(env, ['doctor'], { now: () => new Date() });
    expect(exit).toBe(0);
    expect(out).toContain(
      `warn  data folder: ${data} is open to other users\n      Close it: chmod 700`,
    );
    expect(out).toContain('14 ok, 1 to look at, 0 failed.');
  });

  test('without a server says how to start it, and checks what it can', async () => {
    const { exit, states, of } = await doctor({ ...env, TRI_AGENT_URL: 'http://127.0.0.1:1' });
    expect(exit).toBe(1);
    expect(states.server).toBe('fail');
    expect(of('server')?.fix).toContain('npm start');
    expect(states['Claude Code']).toBeDefined();
    expect(states['test export']).toBeUndefined();
  });

  test('without a server tells that another program holds the OTLP port', async () => {
    const { of } = await doctor({
      ...env,
      TRI_AGENT_URL: 'http://127.0.0.1:1',
      TRI_AGENT_OTLP_HTTP_PORT: String(server.otlpPort),
    });
    expect(of('OTLP/HTTP port')).toMatchObject({ state: 'warn' });
  });

  test('fails when the export never arrives', async () => {
    server.countsRecords = false;
    const { exit, of } = await doctor();
    expect(exit).toBe(1);
    expect(of('test export')?.detail).toContain('never counted it');
  });

  test('fails on a server that is not ready, and names what is not', async () => {
    server.ready.push({ name: 'disk', ok: false, detail: '12 MiB free' });
    const { exit, of } = await doctor();
    expect(exit).toBe(1);
    expect(of('ready: disk')).toMatchObject({ state: 'fail', detail: '12 MiB free' });
  });

  test('fails on a token that the server does not take', async () => {
    server.acceptedToken = 'another-token-altogether';
    const { exit, states } = await doctor();
    expect([exit, states.access]).toEqual([1, 'fail']);
  });

  test('fails on a SQLite that can lose data', async () => {
    server.sqlite = '3.51.2';
    expect((await doctor()).states.SQLite).toBe('fail');
  });

  test('warns of a clock that differs, of a token others can read, of an agent not connected', async () => {
    server.dateOffsetMs = 3_600_000;
    await chmod(join(data, 'token'), 0o644);
    await run(env, ['disconnect', 'claude']);
    const { exit, states } = await doctor();
    expect(exit).toBe(0);
    expect(states).toMatchObject({ clock: 'warn', token: 'warn', 'Claude Code': 'warn' });
  });

  test('fails on a data folder that is not there', async () => {
    const local = { ...env, TRI_AGENT_URL: '' };
    const nowhere = { TRI_AGENT_HOME: join(home, 'nowhere') };
    const { exit, states } = await doctor({
      ...local,
      ...nowhere,
      TRI_AGENT_HTTP_PORT: String(server.port),
    });
    expect(exit).toBe(1);
    expect(states).toMatchObject({ 'data folder': 'fail', token: 'fail', server: 'ok' });
    // Where the address is given, the folder may be on another machine.
    expect((await doctor({ ...env, ...nowhere })).states['data folder']).toBe('warn');
  });

  test('says what is wrong with the configuration and stops there', async () => {
    const { exit, states } = await doctor({ ...env, TRI_AGENT_ROLES: 'chef' });
    expect(exit).toBe(1);
    expect(states).toEqual({ Node: 'ok', settings: 'fail' });
  });
});

describe('What doctor reads', () => {
  test('versions are compared number by number', () => {
    expect(isAtLeast('3.51.3', '3.51.3')).toBe(true);
    expect(isAtLeast('3.100.0', '3.51.3')).toBe(true);
    expect(isAtLeast('3.51.2', '3.51.3')).toBe(false);
    expect(isAtLeast('3.51', '3.51.3')).toBe(false);
  });

  test('a metric is summed over its labels, and not with one of a longer name', () => {
    const text = [
      '# HELP a_total Things.',
      'a_total{x="1 } 9"} 2',
      'a_total{x="2"} 3 1700000000000',
      'a_total_more 100',
      'a_total 1',
    ].join('\n');
    expect(sumOfMetric(text, 'a_total')).toBe(6);
    expect(sumOfMetric('', 'a_total')).toBe(0);
  });
});
