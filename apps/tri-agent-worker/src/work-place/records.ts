import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { nameOf } from '#platform/work-names.js';
import { partsOf, type WorkPlaceRules } from './rules.js';
import { WorkPlaceError } from './work-place-error.js';

const recordShape = z.strictObject({
  taskId: z.string(),
  attemptId: z.string(),
  directory: z.string(),
  /** Null where the place is an empty folder. */
  worktree: z
    .strictObject({
      /** The repository's own folder, shared by its worktrees. */
      repository: z.string(),
      branch: z.string(),
      base: z.string(),
      /** Where the repository keeps this worktree's HEAD and index; null until it is checked out. */
      administration: z.string().nullable(),
    })
    .nullable(),
  /** When the attempt ended, of a place that was kept. */
  endedAt: z.iso.datetime().nullable(),
});

/**
 * What is known of a work place, written before it is made. It lies outside of the place: what an agent
 * does to its folder must not change where its work is committed to, or what is removed.
 */
export type PlaceRecord = z.infer<typeof recordShape>;
export type Worktree = NonNullable<PlaceRecord['worktree']>;

type Folder = Pick<WorkPlaceRules, 'folder'>;

function fileOf(rules: Folder, attemptId: string): string {
  return join(partsOf(rules).records, `${nameOf(attemptId)}.json`);
}

/** Where an attempt without a directory of its own works. */
export function placeOf(rules: Folder, attemptId: string): string {
  return join(partsOf(rules).attempts, nameOf(attemptId));
}

/** @throws {WorkPlaceError} when the attempt has a place already. */
export async function makeRecord(rules: Folder, record: PlaceRecord): Promise<void> {
  await writeAs(rules, record, async (written, file) => {
    try {
      await link(written, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const then = 'it is tidied up when the worker starts';
      throw new WorkPlaceError(
        `The attempt has left a work place in ${record.directory}: ${then}.`,
        true,
      );
    } finally {
      await rm(written, { force: true });
    }
  });
}

export async function changeRecord(rules: Folder, record: PlaceRecord): Promise<void> {
  await writeAs(rules, record, rename);
}

export async function removeRecord(rules: Folder, { attemptId }: PlaceRecord): Promise<void> {
  await rm(fileOf(rules, attemptId), { force: true });
}

/** undefined when there is none, or it cannot be read. */
export async function recordOf(rules: Folder, attemptId: string): Promise<PlaceRecord | undefined> {
  try {
    return recordShape.parse(JSON.parse(await readFile(fileOf(rules, attemptId), 'utf8')));
  } catch {
    return undefined;
  }
}

/** All of them; of a file that cannot be read its name and why. */
export async function allRecords(
  rules: Folder,
): Promise<{ readonly records: PlaceRecord[]; readonly faults: string[] }> {
  const { records: folder } = partsOf(rules);
  const files = await readdir(folder).catch(() => []);
  const records: PlaceRecord[] = [];
  const faults: string[] = [];
  for (const file of files.filter((name) => name.endsWith('.json'))) {
    try {
      records.push(recordShape.parse(JSON.parse(await readFile(join(folder, file), 'utf8'))));
    } catch {
      faults.push(
        `${join(folder, file)} is damaged; the folder of that name in attempts is left alone.`,
      );
    }
  }
  return { records, faults };
}

async function writeAs(
  rules: Folder,
  record: PlaceRecord,
  name: (written: string, file: string) => Promise<void>,
): Promise<void> {
  await mkdir(partsOf(rules).records, { recursive: true, mode: 0o700 });
  const file = fileOf(rules, record.attemptId);
  const written = `${file}.${randomUUID()}.tmp`;
  await writeFile(written, JSON.stringify(record), { mode: 0o600, flush: true });
  await name(written, file);
}
