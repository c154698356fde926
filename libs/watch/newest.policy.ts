/** What is remembered of so many at most: whoever was not touched for longest is forgotten first. */
export class Newest<Value> {
  private readonly values = new Map<string, Value>();

  /** @param forgotten is told of each that goes, whether it had to or was deleted */
  constructor(
    private readonly max: number,
    private readonly forgotten: (value: Value) => void = () => undefined,
  ) {}

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
      if (oldest !== undefined) this.delete(oldest);
    }
    return value;
  }

  delete(key: string): void {
    const value = this.values.get(key);
    if (this.values.delete(key) && value !== undefined) this.forgotten(value);
  }

  /** The one touched longest ago first. */
  all(): IterableIterator<Value> {
    return this.values.values();
  }
}
