#!/usr/bin/env -S node --max-semi-space-size=4
import '#platform/node-version.js';

const { run } = await import('./program.js');
await run(process.argv);
