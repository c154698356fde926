#!/usr/bin/env node
// What npx and a global install link to. It stands in the source tree, because npm links a command
// only to a file that is there, and the build may come later.
import { existsSync } from 'node:fs';

const program = new URL('../../dist/apps/tri-agent-ctl/src/main.js', import.meta.url);
if (!existsSync(program)) {
  console.error(
    'tri-agent is not built yet. Run "npm start" (or "npm run build") in its folder first.',
  );
  process.exit(1);
}
await import(program.href);
