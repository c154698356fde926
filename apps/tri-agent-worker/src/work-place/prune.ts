import { finish, remove, type WorkResult } from './finish.js';
import { allRecords, type PlaceRecord } from './records.js';
import type { WorkPlaceRules } from './rules.js';

/** What became of a work place that a crash had left. */
interface Recovered {
  readonly taskId: string;
  readonly attemptId: string;
  readonly result: WorkResult;
}

export interface Pruned {
  readonly recovered: readonly Recovered[];
  /** Folders of ended attempts that were kept, and were taken away now. */
  readonly removed: readonly string[];
  /** Sentences: what could not be done. It is tried again the next time. */
  readonly faults: readonly string[];
}

/**
 * Saves the work of attempts that a crash left behind, and takes away the folders that were kept long
 * enough. For the start of a worker, and every now and then.
 *
 * @param running the ids of attempts in whose places others run or are being prepared, which are left alone.
 * @param isCarriedOn whether the attempt's conversation is to be carried on in its place, which then stays.
 */
export async function prune(
  rules: WorkPlaceRules,
  running: ReadonlySet<string>,
  isCarriedOn: (place: { readonly taskId: string; readonly attemptId: string }) => Promise<boolean>,
): Promise<Pruned> {
  const { records, faults } = await allRecords(rules);
  const idle = records.filter(({ attemptId }) => !running.has(attemptId));
  const recovered: Recovered[] = [];
  const removed: string[] = [];
  const attempted = async (work: () => Promise<void>) => {
    await work().catch((error: unknown) => {
      faults.push(error instanceof Error ? error.message : String(error));
    });
  };
  for (const record of idle.filter(({ endedAt }) => endedAt === null)) {
    await attempted(async () => {
      if (await isCarriedOn(record)) return;
      const result = await finish(record, 'given-back', rules);
      recovered.push({ taskId: record.taskId, attemptId: record.attemptId, result });
    });
  }
  for (const record of keptTooLong(idle, rules)) {
    await attempted(async () => {
      await remove(record, rules);
      removed.push(record.directory);
    });
  }
  return { recovered, removed, faults };
}

function keptTooLong(records: readonly PlaceRecord[], rules: WorkPlaceRules): PlaceRecord[] {
  const kept = records
    .flatMap((record) => (record.endedAt === null ? [] : [{ record, endedAt: record.endedAt }]))
    .sort((one, other) => other.endedAt.localeCompare(one.endedAt));
  const oldest = new Date(Date.now() - rules.keptMs).toISOString();
  return kept
    .filter(({ endedAt }, newer) => newer >= rules.keptMax || endedAt < oldest)
    .map(({ record }) => record);
}
