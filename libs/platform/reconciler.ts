/**
 * Makes what is so into what should be so, again whenever something may have changed: one look at a time,
 * and once more for what came meanwhile. So nothing is missed, and a crash half-way is made good by the next look.
 */
export class Reconciler {
  private looking: Promise<void> | undefined;
  private isNews = false;
  private reported = '';

  /**
   * @param reconcile looks at all of it, whatever has changed
   * @param report is told why it failed: at once, and not over and over
   */
  constructor(
    private readonly reconcile: () => Promise<void>,
    private readonly report: (reason: string) => void,
  ) {}

  readonly nudge = (): void => {
    this.isNews = true;
    this.looking ??= this.lookUntilSettled().finally(() => {
      this.looking = undefined;
    });
  };

  /** Waits for the look under way. */
  async stop(): Promise<void> {
    this.isNews = false;
    await this.looking;
  }

  private async lookUntilSettled(): Promise<void> {
    while (this.isNews) {
      this.isNews = false;
      try {
        await this.reconcile();
        this.reported = '';
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== this.reported) this.report(reason);
        this.reported = reason;
      }
    }
  }
}
