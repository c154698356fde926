#!/usr/bin/env node
/**
 * Nothing is imported before the version is known, because an older Node fails on the imports
 * themselves and says so in a way that helps nobody.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 14)) {
  console.error(
    `tri-agent-ctl needs Node 22.14 or newer, this is ${process.versions.node}. ` +
      'Run it as "npm run --silent ctl -- <command>", which brings its own.',
  );
  process.exitCode = 1;
} else {
  const { keepCompiled } = await import('./compile-cache.js');
  keepCompiled();
  const { runCli } = await import('./program.js');
  const { processIo } = await import('./process-io.js');
  process.exitCode = await runCli(process.argv.slice(2), processIo());
}

export {};
