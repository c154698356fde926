import { readFileSync } from 'node:fs';

export interface MemoryMegabytes {
  /** What only this process uses: what the machine gets back when it ends. */
  readonly private: number;
  readonly resident: number;
}

/** Memory of a process, from /proc; undefined where there is none (not Linux). */
export function memoryOf(pid: number): MemoryMegabytes | undefined {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kilobytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
    const megabytes = (kb: number): number => Math.round(kb / 102.4) / 10;
    return {
      private: megabytes(kilobytes('Private_Clean') + kilobytes('Private_Dirty')),
      resident: megabytes(kilobytes('Rss')),
    };
  } catch {
    return undefined;
  }
}

/** The most memory that a process has had resident so far; undefined as above. */
export function peakMegabytesOf(pid: number): number | undefined {
  try {
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return peak === undefined ? undefined : Math.round(Number(peak) / 102.4) / 10;
  } catch {
    return undefined;
  }
}
