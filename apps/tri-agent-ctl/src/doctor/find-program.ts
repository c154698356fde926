import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { limits } from '#kernel/limits.js';
import type { Agent } from '../connect/agent.js';
import type { Io } from '../io.js';

/** Where an agent's program is: as its variable says, else on PATH. */
export async function findProgram(
  { env, cwd }: Io,
  { program }: Agent,
): Promise<string | undefined> {
  const named = env[program.variable];
  if (named) return (await isExecutable(named)) ? resolve(cwd ?? '.', named) : undefined;
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program.name);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** What it says to `--version`, or undefined when it does not say in time. */
export async function versionOf(program: string, { env }: Io): Promise<string | undefined> {
  return new Promise((settle) => {
    const options = {
      timeout: limits.agentVersionWaitMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: limits.agentSettingsBytesMax,
      // Gemini CLI would start itself anew, and that would outlive its launcher.
      env: { ...env, GEMINI_CLI_NO_RELAUNCH: 'true' },
    };
    const child = execFile(program, ['--version'], options, (error, stdout) => {
      settle(error === null ? /\d+\.\d+[\w.+-]*/.exec(stdout)?.[0] : undefined);
    });
    child.stdin?.end();
  });
}
