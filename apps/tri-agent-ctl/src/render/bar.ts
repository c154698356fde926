import type { Io } from '../io.js';

export interface Bar {
  setTotal(total: number): void;
  update(value: number): void;
}

/** A bar on the terminal, where there is one, for as long as the work takes. */
export async function withBar<Result>(
  io: Pick<Io, 'terminal'>,
  format: string,
  work: (bar: Bar) => Promise<Result>,
): Promise<Result> {
  if (io.terminal === undefined) {
    return work({ setTotal: () => undefined, update: () => undefined });
  }
  const { SingleBar, Presets } = await import('cli-progress');
  const bar = new SingleBar(
    { format, stream: io.terminal, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(0, 0);
  try {
    return await work(bar);
  } finally {
    bar.stop();
  }
}
