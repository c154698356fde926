import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

/** How a program of somebody else is found. */
export interface ProgramName {
  readonly name: string;
  /** Names a path that wins over PATH; undefined = there is no such variable. */
  readonly variable?: string;
}

/** Where a program is: as its variable says, if it has one, else the first of its name on PATH. */
export async function findProgram(
  { name, variable }: ProgramName,
  env: Readonly<Record<string, string | undefined>>,
  cwd = '.',
): Promise<string | undefined> {
  const named = variable === undefined ? undefined : env[variable];
  if (named) return (await isExecutable(named)) ? resolve(cwd, named) : undefined;
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
