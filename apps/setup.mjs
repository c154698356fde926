// Installs the locked dependencies when they are missing or older than the lockfile.
// Plain JavaScript with no imports beyond Node's own, because it runs before anything is installed
// and on any Node that npm itself runs on.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
const isCurrent =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;

if (!isCurrent) {
  console.error('Installing dependencies (once; about half a minute) ...');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error('Installing failed. Run "npm ci" to see why.');
    process.exit(1);
  }
}
