/** What is remembered of so many at most: whoever was not touched for longest is forgotten first. */
export class Newest<Value> {
  private readonly values = new Map<string, Value>();

  constructor(private readonly max: number) {}

  /** Looks without touching. */
  get(key: string): Value | undefined {
    return this.values.get(key);
  }

  /** Touches it, and makes it where there is none. */
  touch(key: string, make: () => Value): Value {
    const value = this.values.get(key) ?? make();
    this.values.delete(key);
    this.values.set(key, value);
    if (this.values.size > this.max) {
      const [oldest] = this.values.keys();
      if (oldest !== undefined) this.values.delete(oldest);
    }
    return value;
  }

  delete(key: string): void {
    this.values.delete(key);
  }

  /** The one touched longest ago first. */
  all(): IterableIterator<Value> {
    return this.values.values();
  }
}
