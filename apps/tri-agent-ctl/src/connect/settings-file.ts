import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { limits } from '#kernel/limits.js';
import { Failure, nameOf, reasonOf, systemCodeOf } from '../failure.js';
import type { JsonObject } from './json-edit.js';

const newFileMode = 0o600;
const newFolderMode = 0o700;

/** A text file that belongs to a person or another program, as it was when it was read. */
export interface SettingsFile {
  /** As it was named. */
  readonly path: string;
  /** Where its content is: the end of a chain of symbolic links. */
  readonly target: string;
  /** All that it holds; null when there is no such file yet. */
  readonly source: string | null;
  /** The same without the byte order mark; empty when there is no such file yet. */
  readonly text: string;
  readonly mode: number;
  /** Undefined for a file that is not there yet. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** @throws {Failure} when it cannot be read or is no text. Nothing is changed then. */
export async function readSettingsFile(path: string): Promise<SettingsFile> {
  try {
    const target = await followLinks(path);
    const about = await stat(target).catch(ignoreAbsence);
    if (about === undefined) return { path, target, source: null, text: '', mode: newFileMode };
    if (about.size > limits.agentSettingsBytesMax) throw refusal(path, 'is too large for settings');
    const source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await readFile(target),
    );
    return {
      path,
      target,
      source,
      text: source.replace(/^\ufeff/, ''),
      mode: about.mode & 0o7777,
      owner: { uid: about.uid, gid: about.gid },
    };
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (nameOf(error) === 'TypeError') throw refusal(path, 'is not UTF-8 text');
    throw unusable(path, 'read', error);
  }
}

/** @throws {Failure} when it is not a JSON object. */
export function jsonObjectOf({ path, text }: Pick<SettingsFile, 'path' | 'text'>): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    // The rest of Node's message may quote the file, and the file may hold secrets.
    const where = /line \d+ column \d+/.exec(reasonOf(error))?.[0];
    throw refusal(path, `is not valid JSON${where === undefined ? '' : ` (${where})`}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw refusal(path, 'does not hold a JSON object');
  }
  return parsed as JsonObject;
}

export function refusal(path: string, what: string): Failure {
  return new Failure(
    'settings_invalid',
    `${path} ${what}; nothing was changed.`,
    'Repair the file, then run this again.',
  );
}

function unusable(path: string, verb: string, error: unknown): Failure {
  return new Failure(
    'settings_unusable',
    `${path} cannot be ${verb} (${systemCodeOf(error) ?? reasonOf(error)}); nothing was changed.`,
    'Look at the permissions of the file and its folder, or name another one with --file.',
  );
}

/**
 * Replaces the text in one step, a byte order mark stays: a reader sees the old file or the new one, also after a crash.
 * Mode and symbolic links stay. @throws {Failure} also when somebody wrote to it since it was read.
 */
export async function writeSettingsFile(file: SettingsFile, text: string): Promise<void> {
  const { path, target, source, text: before, mode, owner } = file;
  const mark = (source ?? '').slice(0, (source ?? '').length - before.length);
  const folder = dirname(target);
  const temporary = join(folder, `.${randomUUID()}.tri-agent.tmp`);
  try {
    await mkdir(folder, { recursive: true, mode: newFolderMode });
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.chmod(mode);
      // Root may write the settings of somebody else, who must still own them afterwards.
      if (owner !== undefined && process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
      await handle.writeFile(mark + text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await refuseWhenChanged(file);
    await rename(temporary, target);
    await syncFolder(folder);
  } catch (error) {
    await unlink(temporary).catch(ignoreAbsence);
    throw error instanceof Failure ? error : unusable(path, 'written', error);
  }
}

export async function removeSettingsFile(file: SettingsFile): Promise<void> {
  await refuseWhenChanged(file);
  await unlink(file.target);
}

async function refuseWhenChanged({ path, target, source }: SettingsFile): Promise<void> {
  const now = await readFile(target, 'utf8').catch(ignoreAbsence);
  if ((now ?? null) === source) return;
  throw new Failure(
    'settings_busy',
    `${path} was changed by somebody else just now; nothing was changed.`,
    'Run this again.',
  );
}

/** A copy beside the file, under a name that no other copy has. Undefined when there is nothing to copy. */
export async function backUp(file: SettingsFile, now: Date): Promise<string | undefined> {
  if (file.source === null) return undefined;
  const stamp = now.toISOString().replace(/[-:.]/g, '');
  for (let attempt = 1; ; attempt += 1) {
    const suffix = attempt === 1 ? '' : `-${attempt}`;
    const copy = `${file.path}.tri-agent-backup-${stamp}${suffix}`;
    try {
      await copyFile(file.target, copy, constants.COPYFILE_EXCL);
      return copy;
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') throw unusable(copy, 'written', error);
    }
  }
}

/** Where a chain of links ends, even when nothing is there. */
export async function followLinks(path: string): Promise<string> {
  let at = resolve(path);
  for (let hops = 0; hops < limits.nestingLevelsMax; hops += 1) {
    const about = await lstat(at).catch(ignoreAbsence);
    if (about?.isSymbolicLink() !== true) return at;
    at = resolve(dirname(at), await readlink(at));
  }
  throw refusal(path, 'is a link that leads back to itself');
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreAbsence(error: unknown): undefined {
  if (systemCodeOf(error) === 'ENOENT') return undefined;
  throw error;
}
