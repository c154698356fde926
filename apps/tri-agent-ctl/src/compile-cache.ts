import { join } from 'node:path';
import { enableCompileCache, existsSync, homedir } from './builtins.js';

/**
 * Lets Node keep what it compiles of this program: compiling takes longer than running it. It is kept
 * in the data folder, since in a temporary folder of all users others could put something in its place.
 * Where there is no such folder, or nothing can be written, it goes without.
 */
export function keepCompiled(): void {
  const home = process.env.TRI_AGENT_HOME || join(homedir(), '.tri-agent');
  if (!existsSync(home)) return;
  enableCompileCache(join(home, 'compiled'));
}
