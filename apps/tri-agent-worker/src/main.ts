#!/usr/bin/env node
import '#platform/node-version.js';

const { run } = await import('./program.js');
await run(process.argv);
