/** A queue under load, as every contender of the benchmark can be asked. */
export interface QueueContender {
  submit(prompt: string): Promise<void>;
  /** All of them in one call. */
  submitMany(prompts: readonly string[]): Promise<void>;
  /**
   * That many workers, one task at a time each, until the queue is empty. The clock runs while they
   * work, not while they get ready.
   */
  workOff(workers: number): Promise<WorkedOff>;
  /** That many workers that wait for tasks. Undefined where a queue cannot wait. */
  waitForTasks?(workers: number, onClaimed: (prompt: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface WorkedOff {
  readonly tasks: number;
  readonly seconds: number;
}

/** What a worker holds: the step after the claim, and the claim of the next in the same request. */
export interface ClaimingWorker<Claimed> {
  claim(waitMs: number): Promise<Claimed | undefined>;
  complete(claimed: Claimed, wantsNext: boolean): Promise<Claimed | undefined>;
}

/** Each worker claims, completes and claims the next in one step, until there is none. */
export async function workOffBy<Claimed>(
  workers: readonly ClaimingWorker<Claimed>[],
): Promise<WorkedOff> {
  let tasks = 0;
  const started = performance.now();
  await Promise.all(
    workers.map(async (worker) => {
      let claimed = await worker.claim(0);
      while (claimed !== undefined) {
        tasks += 1;
        claimed = await worker.complete(claimed, true);
      }
    }),
  );
  return { tasks, seconds: (performance.now() - started) / 1_000 };
}

/** Resolves with what ends the waiting, once no worker holds a task any more. */
export function waitBy<Claimed>(
  workers: readonly ClaimingWorker<Claimed>[],
  waitMs: number,
  onClaimed: (claimed: Claimed) => void,
): () => Promise<void> {
  let isOver = false;
  const loops = workers.map(async (worker) => {
    while (!isOver) {
      const claimed = await worker.claim(waitMs);
      if (claimed === undefined) continue;
      onClaimed(claimed);
      await worker.complete(claimed, false);
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(loops);
  };
}
