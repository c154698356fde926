/** Does work soon after each nudge, but no more often than once per interval and never twice at a time. */
export class Pacer {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastStart = -Infinity;
  #stopped = false;

  /** `work` must not throw. */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly intervalMs: number,
  ) {}

  nudge(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const waitMs = Math.max(0, this.#lastStart + this.intervalMs - performance.now());
    this.#timer = setTimeout(() => {
      void this.#run();
    }, waitMs);
  }

  /** Waits for the work under way; what was nudged but not begun is done when `last` says so. */
  async stop(last: 'do the rest' | 'drop the rest'): Promise<void> {
    const pending = this.#timer !== undefined;
    clearTimeout(this.#timer);
    await this.#running;
    if (pending && last === 'do the rest') await this.#run();
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    await this.#running;
    this.#timer = undefined;
    this.#lastStart = performance.now();
    this.#running = this.work();
    await this.#running;
  }
}
