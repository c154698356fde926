import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';

const identity = z.object({ pid: z.int(), startMark: z.string() });

const enclosureRecord = z.discriminatedUnion('is', [
  // It is written to and removed: never anything but a group of ours.
  z.object({ is: z.literal('cgroup'), folder: z.string().regex(/^\/.*\/tri-agent-[0-9a-f]{16}$/) }),
  z.object({ is: z.literal('pid-namespace'), keeper: identity }),
  z.object({ is: z.literal('none'), mark: z.string().regex(/^\d+$/).nullable() }),
]);

/** What is on disk of an agent that runs, so that it is found when this worker was killed. */
const runningFile = z.object({
  attemptId: z.string(),
  taskId: z.string(),
  fencingToken: z.int(),
  /** Absent while it is being started. */
  identity: identity.optional(),
  enclosure: enclosureRecord,
});
export type RunningFile = z.infer<typeof runningFile>;

/** One file for each agent that runs, in a folder that is this worker's alone. */
export class RunningFiles {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  put(running: RunningFile): void {
    const file = this.fileOf(running.attemptId);
    const draft = `${file}.tmp`;
    writeFileSync(draft, JSON.stringify(running), { mode: 0o600, flush: true });
    renameSync(draft, file);
  }

  remove(attemptId: string): void {
    rmSync(this.fileOf(attemptId), { force: true });
  }

  /** Those that a worker before this one left. What cannot be read is of none. */
  left(): RunningFile[] {
    return readdirSync(this.folder)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => {
        try {
          return [runningFile.parse(JSON.parse(readFileSync(join(this.folder, name), 'utf8')))];
        } catch {
          rmSync(join(this.folder, name), { force: true });
          return [];
        }
      });
  }

  /** The id may be anything: it names no file. */
  private fileOf(attemptId: string): string {
    const name = createHash('sha256').update(attemptId).digest('hex').slice(0, 32);
    return join(this.folder, `${name}.json`);
  }
}
