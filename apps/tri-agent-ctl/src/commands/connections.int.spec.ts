import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../test/terminal.js';

let folder: string;
let home: string;
let project: string;
let environment: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
  home = join(folder, 'home');
  project = join(folder, 'project');
  await mkdir(home);
  await mkdir(project);
  environment = {
    HOME: home,
    PATH: join(folder, 'bin'),
    TRI_AGENT_HOME: join(home, '.tri-agent'),
    TRI_AGENT_URL: 'http://127.0.0.1:1',
  };
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function connect(...argv: readonly string[]): Promise<void> {
  const { exit } = await run(environment, ['connect', ...argv, '--write'], { cwd: project });
  expect(exit).toBe(0);
}

describe('connect without an agent', () => {
  test('lists all three, and what to type for those that do not report here', async () => {
    // The file that a link leads to is not listed a second time.
    await mkdir(join(home, '.codex'));
    await writeFile(join(home, 'dotfiles.toml'), '');
    await symlink('../dotfiles.toml', join(home, '.codex/config.toml'));
    await connect('codex');
    await connect('gemini', '--scope', 'project');
    await mkdir(join(home, '.claude'));
    await writeFile(
      join(home, '.claude', 'settings.json'),
      JSON.stringify({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example' } }),
    );
    const { exit, out } = await run(environment, ['connect', '--json'], { cwd: project });
    expect(exit).toBe(0);
    const { items } = JSON.parse(out) as { items: Record<string, string>[] };
    expect(items.map(({ agent, state, file }) => [agent, state, file])).toEqual([
      ['claude-code', 'elsewhere', join(home, '.claude/settings.json')],
      ['codex', 'connected', join(home, '.codex/config.toml')],
      ['gemini', 'not connected', join(home, '.gemini/.env')],
      ['gemini', 'connected', join(project, '.gemini/.env')],
    ]);
    const people = await run(environment, ['connect'], { cwd: project });
    expect(people.out).toMatch(/Codex CLI +connected/);
    expect(people.out + people.err).toContain('tri-agent-ctl connect claude --write --force');
    expect(people.out + people.err).toContain('tri-agent-ctl connect gemini --write');
  });

  test('says of unreadable settings what is the matter, and goes on', async () => {
    await mkdir(join(home, '.codex'));
    await writeFile(join(home, '.codex', 'config.toml'), '=');
    const { exit, out } = await run(environment, ['connect', '--json'], { cwd: project });
    expect(exit).toBe(0);
    const { items } = JSON.parse(out) as { items: Record<string, string>[] };
    expect(items.map(({ state }) => state)).toEqual([
      'not connected',
      'unreadable',
      'not connected',
    ]);
  });
});

describe('Connecting any agent', () => {
  test.each(
    ['claude', 'codex', 'gemini'].flatMap((agent) => [
      [`connect ${agent}`],
      [`connect ${agent} --dry-run`],
      [`connect ${agent} --write`],
      [`disconnect ${agent}`],
    ]),
  )('%s --json prints one document', async (line) => {
    const { exit, out, err } = await run(environment, [...line.split(' '), '--json'], {
      cwd: project,
    });
    expect([exit, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toHaveProperty('file');
  });
});
