import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../test/terminal.js';
import type { Finding } from './finding.js';

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

/** A program that says this to whatever it is asked. */
async function install(path: string, says: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${says}\n`);
  await chmod(path, 0o755);
  return path;
}

async function findings(title: string, env = environment): Promise<Finding[]> {
  const { out } = await run(env, ['doctor', '--json'], { cwd: project });
  const { checks } = JSON.parse(out) as { checks: Finding[] };
  return checks.filter(({ name }) => name === title);
}

async function connect(...argv: readonly string[]): Promise<void> {
  const { exit } = await run(environment, ['connect', ...argv, '--write'], { cwd: project });
  expect(exit).toBe(0);
}

describe('Of each agent doctor says', () => {
  test.each(['Claude Code', 'Codex CLI', 'Gemini CLI'])(
    'calmly that %s is not here',
    async (name) => {
      const [finding, ...others] = await findings(name);
      expect(finding?.state).toBe('ok');
      expect(finding?.detail).toContain('not here');
      expect(others).toEqual([]);
    },
  );

  test.each([
    ['claude', 'Claude Code', 'echo "2.1.329 (Claude Code)"', '2.1.329'],
    ['codex', 'Codex CLI', 'echo codex-cli 0.169.0', '0.169.0'],
    ['gemini', 'Gemini CLI', 'echo 0.61.0-nightly.1', '0.61.0-nightly.1'],
    ['codex', 'Codex CLI', 'exit 1', 'version unknown'],
  ])(
    'of %s the version and what to type, then that it is connected',
    async (word, title, says, version) => {
      await install(join(folder, 'bin', word), says);
      const before = await findings(title);
      expect(before).toMatchObject([
        { state: 'warn', fix: `Connect it: tri-agent-ctl connect ${word} --write` },
      ]);
      expect(before[0]?.detail).toContain(`${version}, not connected`);
      await connect(word);
      const after = await findings(title);
      expect(after).toMatchObject([{ state: 'ok' }]);
      expect(after[0]?.detail).toContain(`${version}, connected`);
    },
  );

  test('what the program is that a variable names, and when it is none', async () => {
    const program = await install(join(folder, 'elsewhere', 'my-codex'), 'echo codex-cli 9.9.9');
    const named = { ...environment, TRI_AGENT_CODEX_BIN: program };
    expect((await findings('Codex CLI', named))[0]?.detail).toContain('9.9.9');
    const wrong = { ...environment, TRI_AGENT_CODEX_BIN: join(folder, 'nowhere') };
    const [finding] = await findings('Codex CLI', wrong);
    expect(finding?.state).toBe('warn');
    expect(finding?.detail).toContain('cannot be run');
  });

  test('that telemetry goes elsewhere, and how to have it here', async () => {
    await mkdir(join(home, '.codex'));
    await writeFile(
      join(home, '.codex', 'config.toml'),
      '[otel]\nexporter = { otlp-http = { endpoint = "https://otel.example", protocol = "json" } }\n',
    );
    const [elsewhere, vendor] = await findings('Codex CLI');
    expect(elsewhere?.state).toBe('warn');
    expect(elsewhere?.fix).toContain('--force');
    expect(vendor?.detail).toContain('metrics go to the vendor');
  });

  test('what makes telemetry late, hides the settings or wins over them', async () => {
    await connect('gemini');
    await writeFile(join(project, '.env'), 'APP=1\n');
    const shell = {
      ...environment,
      OTEL_BLRP_SCHEDULE_DELAY: '600000',
      GEMINI_TELEMETRY_TARGET: 'gcp',
    };
    const [state, ...warnings] = await findings('Gemini CLI', shell);
    expect(state).toMatchObject({ state: 'ok' });
    const said = warnings.map(({ detail }) => detail).join('; ');
    expect(said).toContain('arrive late');
    expect(said).toContain(`reads ${join(project, '.env')}`);
    expect(said).toContain('GEMINI_TELEMETRY_TARGET=gcp is set in this shell');
  });

  test('what is wrong with settings that cannot be read', async () => {
    await mkdir(join(home, '.codex'));
    await writeFile(join(home, '.codex', 'config.toml'), 'secret = "hunter2');
    const [finding] = await findings('Codex CLI');
    expect(finding).toMatchObject({ state: 'warn' });
    expect(finding?.detail).toContain('is not valid TOML');
    expect(JSON.stringify(finding)).not.toContain('hunter2');
  });
});
