import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '#platform/project-root.js';

/** The variables by which a worker, or `tri-agent-ctl`, finds the fake agents instead of the real ones. */
export type FakePrograms = Readonly<
  Record<'TRI_AGENT_CLAUDE_BIN' | 'TRI_AGENT_CODEX_BIN' | 'TRI_AGENT_GEMINI_BIN', string>
>;

/** Writes the programs `claude`, `codex` and `gemini` into that folder. The build has to be there. */
export function installFakeAgents(folder: string): FakePrograms {
  const install = (name: string): string => {
    const path = join(folder, name);
    const script = join(projectRoot(), 'dist/apps/tri-agent-worker/test/fake-agent.js');
    // `exec`, so that the process that is started is the agent itself.
    const lines = ['#!/bin/sh', `exec '${process.execPath}' '${script}' ${name} "$@"`, ''];
    writeFileSync(path, lines.join('\n'), { mode: 0o755 });
    return path;
  };
  return {
    TRI_AGENT_CLAUDE_BIN: install('claude'),
    TRI_AGENT_CODEX_BIN: install('codex'),
    TRI_AGENT_GEMINI_BIN: install('gemini'),
  };
}
