import { agentProgramOf } from './agent-program.js';

const node = '/usr/local/bin/node';

describe('An agent is known by its program or its script', () => {
  test.each([
    // Claude Code: native, by its own installer, as a package with a title.
    ['claude', '/opt/bin/claude', ['claude', '-p', 'x']],
    ['claude', '/home/a/.local/share/claude/versions/2.1.3', ['claude']],
    ['claude', node, ['claude']],
    ['claude', node, [node, '/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js']],
    // Codex CLI: the wrapper and the native program below it.
    ['codex', node, ['node', '/usr/local/bin/codex', 'exec']],
    ['codex', node, ['node', '/x/node_modules/@openai/codex/bin/codex.js', 'exec']],
    ['codex', '/x/vendor/x86_64-unknown-linux-musl/bin/codex', ['codex', 'exec', '--json']],
    // Gemini CLI: the launcher and the process that it starts anew.
    ['gemini', node, ['node', '/usr/local/bin/gemini', '-p', 'x']],
    [
      'gemini',
      node,
      [node, '--max-old-space-size=4096', '-r', './a.js', '/g/bin/gemini', '-p', 'x'],
    ],
    ['gemini', '/opt/bun', ['bun', '/x/node_modules/@google/gemini-cli/dist/index.js']],
    // Where only ps tells of it.
    ['gemini', null, ['node', '/usr/local/bin/gemini']],
    ['claude', null, ['/opt/bin/claude']],
  ])('%s: %s %j', (agent, executable, given) => {
    expect(agentProgramOf({ executable, arguments: given })).toBe(agent);
  });

  test.each([
    ['an editor of its file', '/usr/bin/vim', ['vim', 'claude']],
    ['a search for it', '/usr/bin/grep', ['grep', '-r', 'codex', '/usr/local/bin/gemini']],
    ['a script in a folder of its name', node, ['node', '/home/a/claude/server.js']],
    ['a script that gets its name', node, ['node', 'run.js', 'claude']],
    ['code that speaks of it', node, ['node', '-e', 'claude']],
    ['a module loaded before', node, ['node', '--require', 'gemini', 'run.js']],
    ['a name like it', '/usr/bin/claudette', ['claudette']],
    ['a program that only calls itself so', '/usr/bin/sleep', ['claude', '1000']],
    ['a folder of its name', '/usr/bin/codex/tool', ['tool']],
    ['nothing known', null, []],
    ['a thread of the kernel', null, ['']],
    ['an interpreter alone', node, ['node']],
  ])('not %s', (_what, executable, given) => {
    expect(agentProgramOf({ executable, arguments: given })).toBeUndefined();
  });
});
