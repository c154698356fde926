import { readdirSync, readFileSync } from 'node:fs';
import { decodeRealTimeLimit } from './containment.decode.js';
import { shortHash, type AgentEnclosure, type Enclosed } from './enclosure.js';
import { launchWithMark, type Launch } from './launch.translate.js';

/**
 * No enclosure at all: an agent's processes are known by their tree, by their attempt's variables, and, where there
 * is a mark, by that.
 */
export class MarkedEnclosure implements AgentEnclosure {
  /** A number of its own between 2^52 and 2^53 microseconds: more than a century. */
  static make({ attemptId }: Enclosed): MarkedEnclosure {
    const own = Number.parseInt(shortHash(attemptId).slice(0, 13), 16);
    return new MarkedEnclosure(String(2 ** 52 + own));
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
    const { mark } = this;
    if (mark === null) return [];
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && markOf(name) === mark)
      .map(Number);
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

function markOf(pid: string): string | undefined {
  try {
    return decodeRealTimeLimit(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    // It has ended, or is another user's.
    return undefined;
  }
}
