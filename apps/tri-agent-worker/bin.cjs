#!/usr/bin/env node
'use strict';
// What npx and "npm run worker" start. It stands in the source tree, because npm links a command only to
// a file that is there, and the build may come later.
const { existsSync } = require('fs');
const { join } = require('path');
const { pathToFileURL } = require('url');

const program = join(__dirname, '../../dist/apps/tri-agent-worker/src/main.js');
if (existsSync(program)) {
  void import(pathToFileURL(program).href);
} else {
  console.error(
    'tri-agent is not built yet. Run "npm start" (or "npm run build") in its folder first.',
  );
  process.exitCode = 1;
}
