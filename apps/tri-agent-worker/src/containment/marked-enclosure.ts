import { markFor, pidsMarked } from '#platform/process-mark.js';
import type { AgentEnclosure, Enclosed } from './enclosure.js';
import { launchWithMark, type Launch } from './launch.translate.js';

/**
 * No enclosure at all: an agent's processes are known by their tree, by their attempt's variables, and, where there
 * is a mark, by that.
 */
export class MarkedEnclosure implements AgentEnclosure {
  static make({ attemptId }: Enclosed): MarkedEnclosure {
    return new MarkedEnclosure(markFor(attemptId));
  }

  constructor(private readonly mark: string | null) {}

  get record() {
    return { is: 'none', mark: this.mark } as const;
  }

  launch(program: Launch): Launch {
    return this.mark === null ? program : launchWithMark(this.mark, program);
  }

  launched(): void {
    // The process that is started becomes the agent.
  }

  pids(): number[] {
    return this.mark === null ? [] : pidsMarked(this.mark);
  }

  isKeeper(): boolean {
    return false;
  }

  kill(): void {
    // Nothing but its processes, one by one.
  }

  isEmpty(): boolean {
    return true;
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }
}
