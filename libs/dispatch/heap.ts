interface Item {
  readonly taskId: string;
}

/** Tasks in an order, the first one at hand. */
export class Heap<T extends Item> {
  private readonly heap: T[] = [];
  private readonly present = new Map<string, T>();

  constructor(private readonly isBefore: (a: T, b: T) => boolean) {}

  get length(): number {
    return this.present.size;
  }

  get head(): T | undefined {
    return this.heap[0];
  }

  put(item: T): void {
    this.present.set(item.taskId, item);
    this.push(item);
  }

  /** What is taken from the middle stays in the heap until it comes up, or is half of it. */
  take(taskId: string): void {
    this.present.delete(taskId);
    for (let top = this.heap[0]; top && this.present.get(top.taskId) !== top; top = this.heap[0]) {
      this.pop();
    }
    if (this.heap.length > 64 && this.heap.length > 2 * this.present.size) {
      this.heap.length = 0;
      for (const item of this.present.values()) this.push(item);
    }
  }

  /** How many are before this one. Looks at all of them. */
  ahead(item: T): number {
    return [...this.present.values()].filter((other) => this.isBefore(other, item)).length;
  }

  get(taskId: string): T | undefined {
    return this.present.get(taskId);
  }

  private push(item: T): void {
    const { heap } = this;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !this.isBefore(item, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = item;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && this.isBefore(right, left);
      const child = isRight ? right : left;
      if (!this.isBefore(child, last)) break;
      heap[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    heap[index] = last;
  }
}
