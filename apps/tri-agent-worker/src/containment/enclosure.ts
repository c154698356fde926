import { createHash } from 'node:crypto';
import type { Enclosure } from '#platform/process-trees.js';
import type { ProcessIdentity } from '#platform/processes.js';
import type { Launch } from './launch.translate.js';

/** What one agent is held together by, with all that it starts. */
export interface AgentEnclosure extends Enclosure {
  /** Enough to find it again after this process was killed. */
  readonly record: EnclosureRecord;
  /** How a program is started inside. */
  launch(program: Launch): Launch;
  /** The process that was started so. */
  launched(pid: number): void;
  /** Once nothing runs in it any more: of it nothing stays. */
  remove(): Promise<void>;
}

export type EnclosureRecord =
  | { readonly is: 'cgroup'; readonly folder: string }
  | { readonly is: 'pid-namespace'; readonly keeper: ProcessIdentity }
  /** Only known by what its processes have inherited; null where they inherit nothing that tells. */
  | { readonly is: 'none'; readonly mark: string | null };

/** Whose enclosure it is. */
export interface Enclosed {
  readonly attemptId: string;
  readonly taskId: string;
  readonly directory: string;
}

/** Sixteen hexadecimal digits. An id may be anything: it names no file. */
export function shortHash(attemptId: string): string {
  return createHash('sha256').update(attemptId).digest('hex').slice(0, 16);
}
