import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../test/terminal.js';

const connect = ['connect', 'claude', '--write'];
const disconnect = ['disconnect', 'claude'];

let home: string;
let settings: string;
let environment: Record<string, string>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tri-agent's ctl-"));
  settings = join(home, '.claude', 'settings.json');
  environment = {
    HOME: home,
    TRI_AGENT_HOME: join(home, '.tri-agent'),
    TRI_AGENT_URL: 'http://127.0.0.1:1',
  };
  await mkdir(join(home, '.claude'));
});
afterEach(() => rm(home, { recursive: true }));

interface Hook {
  readonly type: string;
  readonly command?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly onFailure?: string;
  readonly timeout: number;
}

async function hooks(): Promise<Record<string, { hooks: Hook[] }[]>> {
  const text = (await readFile(settings, 'utf8')).replace(/^\ufeff/, '');
  const content = JSON.parse(text) as { hooks?: Record<string, { hooks: Hook[] }[]> };
  return content.hooks ?? {};
}

/** The type of each event's last hook. */
async function types(): Promise<Record<string, string | undefined>> {
  const all = Object.entries(await hooks());
  return Object.fromEntries(all.map(([event, items]) => [event, items.at(-1)?.hooks[0]?.type]));
}

const tokenOf = async () => (await readFile(join(home, '.tri-agent/hooks-token'), 'utf8')).trim();

describe('connect claude --write', () => {
  test('also installs hooks, that of the start as a command and the others over HTTP', async () => {
    const { exit, out, err } = await run(environment, connect);
    expect([exit, err]).toEqual([0, '']);
    expect(await types()).toEqual({
      SessionStart: 'command',
      UserPromptSubmit: 'http',
      PreToolUse: 'http',
      PreCompact: 'http',
      Stop: 'http',
      StopFailure: 'http',
      SessionEnd: 'http',
    });
    expect((await hooks())['Stop']).toEqual([
      {
        hooks: [
          {
            type: 'http',
            url: 'http://127.0.0.1:1/api/v1/hooks/claude-code',
            headers: { Authorization: `Bearer ${await tokenOf()}` },
            timeout: 2,
          },
        ],
      },
    ]);
    expect(out).toContain('+ hooks.SessionStart=');
    expect(out).not.toContain(await tokenOf());
  });

  test('makes the token of hooks, for its owner alone, and keeps it', async () => {
    await run(environment, connect);
    const token = await tokenOf();
    expect((await stat(join(home, '.tri-agent/hooks-token'))).mode & 0o777).toBe(0o600);
    await run(environment, disconnect);
    await run(environment, connect);
    expect(await tokenOf()).toBe(token);
  });

  test('writes a command that a shell understands, with no token in it', async () => {
    await run(environment, connect);
    const [{ hooks: [hook] } = { hooks: [] }] = (await hooks())['SessionStart'] ?? [];
    const words = hook?.command?.replace(/^/, 'printf "%s\\n" ') ?? '';
    const seen = execFileSync('sh', ['-c', words], { encoding: 'utf8' }).split('\n');
    expect(seen.slice(0, 1)).toEqual([process.execPath]);
    expect(seen[1]).toMatch(/apps\/tri-agent-ctl\/bin\.cjs$/);
    expect(seen.slice(2, -1)).toEqual([
      ...['hook', 'claude-code', '--url', 'http://127.0.0.1:1'],
      ...['--token-file', join(home, '.tri-agent/hooks-token'), '--parent', String(process.pid)],
    ]);
  });

  test('--hooks closed asks by commands that stop the agent when nobody answers', async () => {
    await run(environment, [...connect, '--hooks', 'closed']);
    const all = await hooks();
    for (const event of ['UserPromptSubmit', 'PreToolUse']) {
      const hook = all[event]?.[0]?.hooks[0];
      expect(hook).toMatchObject({ type: 'command', onFailure: 'block' });
      expect(hook?.command).toMatch(/ --closed$/);
    }
    expect(await types()).toMatchObject({ Stop: 'http', SessionEnd: 'http' });
  });

  test('changes the mode where the hooks stand, and takes them out with --hooks none', async () => {
    const text = '{\n  "hooks": {\n    "Stop": []\n  }\n}\n';
    await writeFile(settings, text);
    await run(environment, [...connect, '--hooks', 'closed']);
    await run(environment, connect);
    expect(await types()).toMatchObject({ UserPromptSubmit: 'http' });
    expect((await hooks())['UserPromptSubmit']).toHaveLength(1);
    await run(environment, [...connect, '--hooks', 'none']);
    expect(await hooks()).toEqual({ Stop: [] });
    await run(environment, disconnect);
    expect(await readFile(settings, 'utf8')).toBe(text);
  });

  test('keeps the hooks that a person has, first and in their order', async () => {
    const theirs = [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'a' }] }, { hooks: [] }];
    await writeFile(settings, JSON.stringify({ hooks: { PreToolUse: theirs, Other: theirs } }));
    await run(environment, connect);
    const all = await hooks();
    expect(all['PreToolUse']?.slice(0, 2)).toEqual(theirs);
    expect(all['PreToolUse']).toHaveLength(3);
    expect(all['Other']).toEqual(theirs);
  });

  test('the second time changes nothing', async () => {
    await run(environment, connect);
    const before = await readFile(settings, 'utf8');
    expect((await run(environment, connect)).out).toContain('already connected');
    expect(await readFile(settings, 'utf8')).toBe(before);
  });

  test.each(['{"hooks": []}', '{"hooks": {"Stop": {}}}', '{"hooks": {"Stop": "x"}}'])(
    'refuses hooks that it does not understand, and changes nothing: %s',
    async (text) => {
      await writeFile(settings, text);
      const { exit, err } = await run(environment, connect);
      expect(exit).toBe(1);
      expect(err).toContain('nothing was changed');
      expect(await readFile(settings, 'utf8')).toBe(text);
    },
  );

  test('without a server on this machine installs none that need it', async () => {
    const remote = {
      ...environment,
      TRI_AGENT_URL: 'http://10.0.0.1:1',
      TRI_AGENT_TOKEN: 't'.repeat(16),
    };
    const noServer = { fetch: () => Promise.reject(new TypeError('no network in tests')) };
    const closed = await run(remote, [...connect, '--hooks', 'closed'], noServer);
    expect(closed.exit).toBe(1);
    expect(closed.err).toContain('--hooks open');
    expect((await run(remote, connect, noServer)).exit).toBe(0);
    const all = await types();
    expect(all).toMatchObject({ UserPromptSubmit: 'http' });
    expect(all).not.toHaveProperty('SessionStart');
  });

  test('says who else can read the token, and that a proxy would get the hooks', async () => {
    await writeFile(settings, '{"env": {"HTTP_PROXY": "http://proxy.example:8080"}}');
    await chmod(settings, 0o644);
    const { err } = await run(environment, connect);
    expect(err).toContain('chmod 600');
    expect(err).toContain('NO_PROXY=127.0.0.1');
    const exempt =
      '{"env": {"HTTP_PROXY": "http://proxy.example:8080", "NO_PROXY": "a,127.0.0.1"}}';
    await writeFile(settings, exempt);
    expect((await run(environment, connect)).err).not.toContain('NO_PROXY');
  });

  test('warns of the token in the settings of a project, which others may share', async () => {
    const project = { cwd: join(home, 'project') };
    const { err } = await run(environment, [...connect, '--scope', 'project'], project);
    expect(err).toContain('do not commit it');
    const own = ['--file', '.claude/settings.local.json'];
    expect((await run(environment, [...connect, ...own], project)).err).toBe('');
  });

  test('tells what hooks need and cannot have', async () => {
    await mkdir(join(home, '.tri-agent'));
    await writeFile(join(home, '.tri-agent/hooks-token'), 'readable-by-all-others', {
      mode: 0o644,
    });
    const { exit, err } = await run(environment, connect);
    expect(exit).toBe(1);
    expect(err).toContain('chmod 600');
    expect(err).toContain('--hooks none');
    await expect(stat(settings)).rejects.toThrow('ENOENT');
  });

  test('--dry-run and the printed settings make nothing and show no token', async () => {
    const printed = await run(environment, ['connect', 'claude']);
    const dry = await run(environment, ['connect', 'claude', '--dry-run', '--json']);
    await expect(stat(join(home, '.tri-agent'))).rejects.toThrow('ENOENT');
    expect(printed.out).toContain('"SessionStart": [');
    expect(printed.out).toContain('"Authorization": "(not shown)"');
    expect(JSON.parse(dry.out)).toMatchObject({ changed: false });
    expect(dry.out).toContain('hooks.Stop');
    const json = await run(environment, ['connect', 'claude', '--json']);
    expect(JSON.parse(json.out)).toHaveProperty(['hooks', 'hooks.Stop']);
  });
});

describe('disconnect claude', () => {
  test.each([
    ['no hooks', '{\n\t"model": "opus"\n}\n'],
    ['empty hooks', '{\n  "hooks": {}\n}\n'],
    ['an empty list', '{\n  "hooks": {\n    "Stop": []\n  },\n  "z": 1\n}\n'],
    [
      'hooks of a person',
      '{"hooks": {"Stop": [{"matcher": "",  "hooks": [{"type":"command", "command":"x"}]}],\r\n "Other": [ ]}}',
    ],
    [
      'hooks before and behind ours',
      '\ufeff{"hooks":{"PreToolUse":[{"a":1},{"b":2}]},"env":{"A":"1"}}',
    ],
  ])('gives back a file with %s to the letter', async (_what, text) => {
    await writeFile(settings, text);
    for (const mode of ['open', 'closed']) {
      expect((await run(environment, [...connect, '--hooks', mode])).exit).toBe(0);
      expect(Object.keys(await hooks()).length).toBeGreaterThanOrEqual(7);
    }
    expect((await run(environment, disconnect)).exit).toBe(0);
    expect(await readFile(settings, 'utf8')).toBe(text);
  });

  test('removes the file that connect made', async () => {
    await run(environment, connect);
    await run(environment, disconnect);
    await expect(stat(settings)).rejects.toThrow('ENOENT');
  });

  test('leaves hooks that came since, and one of ours that was changed, and says so', async () => {
    await run(environment, connect);
    const content = JSON.parse(await readFile(settings, 'utf8')) as {
      hooks: Record<string, { hooks: object[] }[]>;
    };
    content.hooks['Stop']?.push({ hooks: [{ type: 'command', command: 'mine' }] });
    const changed = { ...content.hooks['SessionEnd']?.[0]?.hooks[0], timeout: 60 };
    content.hooks['SessionEnd'] = [{ hooks: [changed] }];
    await writeFile(settings, JSON.stringify(content));
    const { out } = await run(environment, disconnect);
    expect(out).toContain('hooks.SessionEnd');
    expect(await hooks()).toEqual({
      Stop: [{ hooks: [{ type: 'command', command: 'mine' }] }],
      SessionEnd: [{ hooks: [changed] }],
    });
  });
});
