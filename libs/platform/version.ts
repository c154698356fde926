import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.js';

interface Manifest {
  readonly version: string;
}

/** The version of this program, as package.json has it. */
export const version = (
  JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as Manifest
).version;
