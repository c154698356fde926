import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { recorded } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import type { DispatchEvent } from './dispatch-state.js';
import { tasksProjection } from './tasks.projection.js';
import { TasksQueries } from './tasks.queries.js';

/** When the clock of dispatch stood at nought. */
const startMs = Date.UTC(2026, 10, 20, 10);

/** The time on the wall, when the clock of dispatch showed this. */
export function wallAt(atMs: number): string {
  return new Date(startMs + atMs).toISOString();
}

/** The events as the log would give them back. */
export function recordedDispatch(events: readonly DispatchEvent[]): RecordedDomainEvent[] {
  return events.map(({ type, data }, index) => ({
    ...recorded(index + 1, type, data, wallAt(data.atMs)),
    stream: DISPATCH_STREAM,
  }));
}

/** The read model of tasks on disk; events come to it in batches. */
export class TasksReadModel {
  private readonly folder = mkdtempSync(join(tmpdir(), 'tasks-'));
  readonly file = join(this.folder, 'read-models.db');
  private readonly models = new ReadModels(this.file);
  readonly queries = new TasksQueries(this.models);

  /** Each batch is applied by a writer of its own, as after a restart. */
  apply(...batches: readonly (readonly RecordedDomainEvent[])[]): this {
    for (const batch of batches) {
      const head = batch.at(-1)?.position ?? 0n;
      const writer = ReadModelsWriter.open(this.file, [tasksProjection], head, () => undefined);
      writer.apply(batch);
      writer.close();
    }
    return this;
  }

  remove(): void {
    this.models.close();
    rmSync(this.folder, { recursive: true });
  }
}
