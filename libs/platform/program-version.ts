import { execFile } from 'node:child_process';
import { limits } from '#kernel/limits.js';

/** What an agent's command line says to `--version`, or undefined when it does not say in time. */
export async function versionOf(
  program: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  return new Promise((settle) => {
    const options = {
      timeout: limits.agentVersionWaitMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: limits.agentSettingsBytesMax,
      // Gemini CLI would start itself anew, and that would outlive its launcher.
      env: { ...env, GEMINI_CLI_NO_RELAUNCH: 'true' },
    };
    const child = execFile(program, ['--version'], options, (error, stdout) => {
      const said = error === null ? /\d+\.\d+[\w.+-]*/.exec(stdout)?.[0] : undefined;
      settle(said?.slice(0, limits.identifierCharactersMax));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end();
  });
}
