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
  // Not "npm ci": it refuses a lockfile that lacks the optional binaries of other platforms, and npm
  // leaves those out when it writes one. "--no-save" keeps the lockfile as it is all the same.
  const npm = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    },
  );
  if (npm.status !== 0) {
    console.error('Installing failed. Run "npm install --no-save" to see why.');
    process.exit(1);
  }
}
