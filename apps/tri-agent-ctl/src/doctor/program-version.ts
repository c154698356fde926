import { execFile } from 'node:child_process';
import { limits } from '#kernel/limits.js';
import type { Io } from '../io.js';

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
