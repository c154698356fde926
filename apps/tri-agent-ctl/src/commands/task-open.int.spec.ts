import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { branchOf } from '#platform/work-names.js';
import { anAttempt, aTask, harmful, hostile, taskId } from '../../test/dispatch-samples.js';
import { StubServer } from '../../test/stub-server.js';
import { run } from '../../test/terminal.js';

let server: StubServer;
let home: string;
let env: Record<string, string>;
const path = `/api/v1/tasks/${taskId}`;
const attemptId = '0b1d4a3e-6f0a-4b52-9d3e-2f5a7c9e1d11';
const branch = branchOf({ taskId, attemptId });

beforeEach(async () => {
  server = await StubServer.start();
  home = mkdtempSync(join(tmpdir(), 'task-open-'));
  env = { ...server.env(home), TRI_AGENT_HOME: home, PATH: process.env['PATH'] ?? '' };
});
afterEach(async () => {
  await server.stop();
  rmSync(home, { recursive: true });
});

function answerWith(task: object): void {
  const attemptList = [anAttempt({ attemptId })];
  server.answers[path] = { ...aTask({ directory: null, ...task }), attemptList };
}

/** A repository with these branches. */
function repositoryWith(folder: string, ...branches: string[]): string {
  const git = (...args: string[]) => execFileSync('git', args, { stdio: 'ignore', cwd: folder });
  mkdirSync(folder, { recursive: true });
  git('init', '--quiet');
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@localhost'];
  git(...author, 'commit', '--quiet', '--allow-empty', '-m', 'x');
  for (const it of branches) git('branch', it);
  return folder;
}

const open = (isTTY = false) => run(env, ['tasks', 'open', taskId], { isTTY });

describe('tasks open', () => {
  test('names the branch of a repository, and how to look at it', async () => {
    const repository = repositoryWith(join(home, "the 'shop'"), branch);
    answerWith({ repository });
    const { exit, out } = await open();
    expect(exit).toBe(0);
    expect(out).toContain(`branch  ${branch}\n`);
    expect(out).toContain(`git -C '${home}/the '\\''shop'\\''' switch ${branch}\n`);
    const { out: json } = await run(env, ['tasks', 'open', taskId, '--json']);
    expect(JSON.parse(json)).toMatchObject({ taskId, branch, repository, folder: null });
  });

  test('takes no name for a branch that an agent made up', async () => {
    const made = `tri-agent/${taskId}/$(touch\${IFS}hacked)`;
    answerWith({ repository: repositoryWith(join(home, 'shop'), made) });
    const { exit, out, err } = await open();
    expect([exit, out]).toEqual([1, '']);
    expect(err).toContain('neither a branch nor a folder');
  });

  test('finds the branch of a repository by its URL in the mirror of a worker', async () => {
    const mirror = repositoryWith(join(home, 'workers/impl/work/mirrors/m1'), branch);
    answerWith({ repository: 'https://git.example/shop.git' });
    expect((await open()).out).toContain(`git fetch ${mirror} ${branch}:${branch}\n`);
  });

  test('names the folder in which the agent works, and opens the editor of a person there', async () => {
    const folder = join(home, 'workers/impl/work/attempts', attemptId);
    mkdirSync(folder, { recursive: true });
    answerWith({ state: 'paused' });
    const editor = join(home, 'editor');
    writeFileSync(editor, `#!/bin/sh\necho "$@" > ${home}/opened\n`);
    chmodSync(editor, 0o755);
    env['EDITOR'] = `${editor} --wait`;
    expect((await open()).out).toContain(`folder  ${folder}\n`);
    expect(() => readFileSync(join(home, 'opened'))).toThrow();
    expect((await open(true)).exit).toBe(0);
    expect(readFileSync(join(home, 'opened'), 'utf8')).toBe(`--wait ${folder}\n`);
    env['VISUAL'] = 'false';
    const failed = await open(true);
    expect([failed.exit, failed.err]).toEqual([1, expect.stringContaining('exit code 1')]);
  });

  test('says what may be when there is nothing, and prints nothing harmful', async () => {
    answerWith({ repository: hostile, state: hostile });
    const { exit, err } = await open();
    expect(exit).toBe(1);
    expect(err).toContain('has not begun, ran on another host, or left nothing');
    expect(err).not.toMatch(harmful);
  });
});
