import { join } from 'node:path';

/** What the operator of a host allows, and where the work places of this worker lie. */
export interface WorkPlaceRules {
  /** Folders in which agents may work, links followed: of tasks that name a directory or a repository of this host. */
  readonly roots: readonly string[];
  /** Where work places are made. Belongs to one worker process. */
  readonly folder: string;
  /** Work places that hold what is in no branch are kept so long after their attempt ended; `limits.workPlaceKeptMs`. */
  readonly keptMs: number;
  /** And so many of them, the newest; `limits.workPlacesKeptMax`. */
  readonly keptMax: number;
}

/** What a task says of where it is to be worked on. */
export interface WorkOrder {
  readonly taskId: string;
  readonly attemptId: string;
  readonly directory: string | null;
  readonly repository: string | null;
  readonly ref: string | null;
}

/** How the folder is divided. Each is made when first needed, readable by its owner only. */
export const partsOf = ({ folder }: Pick<WorkPlaceRules, 'folder'>) => ({
  attempts: join(folder, 'attempts'),
  records: join(folder, 'records'),
  mirrors: join(folder, 'mirrors'),
  locks: join(folder, 'locks'),
});
