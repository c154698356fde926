#!/usr/bin/env node
'use strict';
// What npx, a global install and "npm run ctl" start. It stands in the source tree, because npm links
// a command only to a file that is there, and the build may come later. CommonJS, like the program
// that it starts: Node then never loads what loads ES modules. An older Node can read all of it.
const { existsSync } = require('fs');
const { enableCompileCache } = require('module');
const { homedir } = require('os');
const { join } = require('path');

const [major, minor] = process.versions.node.split('.').map(Number);
const program = join(__dirname, '../../dist/apps/tri-agent-ctl/program.cjs');

if (major < 22 || (major === 22 && minor < 14)) {
  console.error(
    `tri-agent-ctl needs Node 22.14 or newer, this is ${process.versions.node}. ` +
      'Run it as "npm run --silent ctl -- <command>", which brings its own.',
  );
  process.exitCode = 1;
} else if (!existsSync(program)) {
  console.error(
    'tri-agent is not built yet. Run "npm start" (or "npm run build") in its folder first.',
  );
  process.exitCode = 1;
} else {
  // Lets Node keep what it compiles of the program: compiling takes longer than running it. It is kept
  // in the data folder, since in a temporary folder of all users others could put something in its
  // place. Where there is no such folder, or nothing can be written, it goes without.
  const home = process.env.TRI_AGENT_HOME || join(homedir(), '.tri-agent');
  if (existsSync(home)) enableCompileCache(join(home, 'compiled'));
  require(program);
}
