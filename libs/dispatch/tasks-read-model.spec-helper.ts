import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { tasksProjection } from './tasks.projection.js';
import { TasksQueries } from './tasks.queries.js';

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
