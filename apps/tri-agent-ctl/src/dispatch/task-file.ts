import {
  LineCounter,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type ParsedNode,
  type YAMLMap,
} from 'yaml';
import { limits } from '#kernel/limits.js';
import { clean, clip } from '#platform/harmless-text.js';
import { reasonOf } from '../failure.js';
import {
  alternatives,
  conflictOf,
  ownFields,
  taskFields,
  type FieldName,
  type Written,
} from './task-fields.js';

/**
 * Reads tasks from YAML: a list of them, or `defaults` and `tasks`. The document is walked, not turned
 * into values, so that a fault has its line and a number is what was written. Aliases are not taken:
 * `defaults` does what they would, and cannot grow without end.
 */

type Said = Partial<Record<FieldName, unknown>>;
export interface PlacedTask {
  readonly line: number;
  readonly said: Said;
}
export interface Fault {
  readonly line: number;
  readonly reason: string;
}
export interface TaskFile {
  readonly tasks: readonly PlacedTask[];
  /** When there are any, `tasks` is not whole. */
  readonly faults: readonly Fault[];
}

export function readTaskFile(text: string): TaskFile {
  return new Reader(text).read();
}

class Reader {
  readonly #lines = new LineCounter();
  readonly #faults: Fault[] = [];

  constructor(private readonly text: string) {}

  read(): TaskFile {
    const root = this.#root();
    const [list, defaults] = root === null ? [null, {}] : this.#parts(root);
    const tasks = list === null ? [] : this.#tasks(list, defaults);
    if (this.#faults.length === 0) this.#refuseCircles(tasks);
    return { tasks, faults: this.#faults };
  }

  #root(): ParsedNode | null {
    try {
      // Keys are compared here, where the names of fields bound how many there are.
      const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false };
      const { contents, errors, warnings } = parseDocument(this.text, options);
      for (const { pos, message } of [...errors, ...warnings]) this.#fault(pos[0], message);
      if (this.#faults.length > 0) return null;
      if (contents === null) this.#fault(0, 'there is nothing in it');
      return contents;
    } catch (error) {
      // What is nested without end runs out of stack.
      this.#fault(0, `it cannot be read: ${reasonOf(error)}`);
      return null;
    }
  }

  /** The list of tasks, or null where there is none, and the defaults. */
  #parts(root: ParsedNode): [YAMLList | null, Said] {
    if (isSeq(root)) return [root, {}];
    if (!isMap(root)) {
      this.#fault(root.range[0], 'it must be a list of tasks, or have "tasks" and "defaults"');
      return [null, {}];
    }
    const parts = this.#fieldsOf(root, ['defaults', 'tasks']);
    const { defaults, tasks } = parts;
    if (tasks === undefined || !isSeq(tasks)) {
      this.#fault(tasks?.range[0] ?? root.range[0], '"tasks" must be a list of tasks');
      return [null, {}];
    }
    if (defaults === undefined || isNull(defaults)) return [tasks, {}];
    const names = fieldNames.filter((name) => !ownFields.has(name));
    return [tasks, this.#saidIn(defaults, names, '"defaults"')];
  }

  #tasks({ items, range }: YAMLList, defaults: Said): PlacedTask[] {
    if (items.length === 0) this.#fault(range[0], 'there are no tasks in it');
    if (items.length > limits.tasksPerBatchMax) {
      const max = limits.tasksPerBatchMax;
      this.#fault(range[0], `${items.length} tasks are too many: ${max} go in at once; split it`);
      return [];
    }
    const lineOfKey = new Map<unknown, number>();
    return items.map((item) => {
      const line = this.#lineOf(item.range[0]);
      const faultsBefore = this.#faults.length;
      const own = this.#saidIn(item, fieldNames, 'a task');
      const said = { ...this.#without(defaults, own), ...own };
      for (const name of fieldNames) if (said[name] === null) Reflect.deleteProperty(said, name);
      // What is wrong already would only be told twice.
      const conflict = this.#faults.length > faultsBefore ? undefined : conflictOf(said);
      if (conflict !== undefined) this.#add(line, conflict);
      const first = lineOfKey.get(said.key);
      if (first !== undefined)
        this.#add(line, `the key ${quoted(said.key)} is that of line ${first}`);
      else if (said.key !== undefined) lineOfKey.set(said.key, line);
      return { line, said };
    });
  }

  /** The server refuses circles, too, and cannot say in which lines they stand. */
  #refuseCircles(tasks: readonly PlacedTask[]): void {
    const left = new Map<unknown, Said>();
    for (const { said } of tasks) if (said.key !== undefined) left.set(said.key, said);
    const isFree = ({ dependsOn }: Said): boolean =>
      !(dependsOn as unknown[] | undefined)?.some((it) => left.has(it));
    for (let before = Infinity; left.size < before;) {
      before = left.size;
      for (const [key, said] of left) if (isFree(said)) left.delete(key);
    }
    const stuck = tasks.filter(({ said }) => left.has(said.key));
    const keys = stuck.map(({ said }) => quoted(said.key)).join(', ');
    const [first] = stuck;
    if (first !== undefined)
      this.#add(first.line, `these wait for each other, or for others that do: ${keys}`);
  }

  /** The defaults that what a task says itself leaves standing. */
  #without(defaults: Said, own: Said): Said {
    const left = { ...defaults };
    for (const [one, other] of alternatives) {
      if (own[one] !== undefined && own[one] !== null) Reflect.deleteProperty(left, other);
      if (own[other] !== undefined && own[other] !== null) Reflect.deleteProperty(left, one);
    }
    return left;
  }

  /** An empty value takes a default back: it is null here. */
  #saidIn(node: ParsedNode, names: readonly FieldName[], what: string): Said {
    if (isAlias(node)) {
      this.#fault(node.range[0], noAliases);
      return {};
    }
    if (!isMap(node)) {
      this.#fault(node.range[0], `${what} must have fields: ${names.join(', ')}`);
      return {};
    }
    const said: Said = {};
    for (const [name, value] of Object.entries(this.#fieldsOf(node, names))) {
      const field = name as FieldName;
      if (isNull(value)) {
        said[field] = null;
        continue;
      }
      const reading = isAlias(value)
        ? { fault: `is an alias: ${noAliases}` }
        : taskFields[field](this.#written(value));
      if ('value' in reading) said[field] = reading.value;
      else this.#fault(value.range[0], `${field} ${reading.fault}`);
    }
    return said;
  }

  #fieldsOf<Name extends string>(
    map: YAMLMap<ParsedNode, ParsedNode | null>,
    names: readonly Name[],
  ): Partial<Record<Name, ParsedNode>> {
    const fields: Partial<Record<Name, ParsedNode>> = {};
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? key.value : undefined;
      const known = names.find((it) => it === name);
      const at = key.range[0];
      if (known === undefined) {
        this.#fault(at, `there is no field ${quoted(name)} here; there are ${names.join(', ')}`);
      } else if (known in fields) this.#fault(at, `${known} is said twice`);
      else if (value !== null) fields[known] = value;
    }
    return fields;
  }

  #written(node: ParsedNode): Written {
    if (isSeq(node)) return { value: (node as YAMLList).items.map((item) => this.#written(item)) };
    if (!isScalar(node)) return { value: {} };
    const { value, source } = node;
    if (typeof value === 'string') return { value, text: value };
    return typeof value === 'number' ? { value, text: source } : { value };
  }

  #fault(offset: number, reason: string): void {
    this.#add(this.#lineOf(offset), reason);
  }

  #add(line: number, reason: string): void {
    if (this.#faults.length < limits.taskFileFaultsMax) this.#faults.push({ line, reason });
  }

  #lineOf(offset: number): number {
    return Math.max(1, this.#lines.linePos(offset).line);
  }
}

interface YAMLList {
  readonly items: readonly ParsedNode[];
  readonly range: readonly [number, number, number];
}

const fieldNames = Object.keys(taskFields) as readonly FieldName[];

const noAliases = 'aliases are not taken, say what tasks have in common in "defaults"';

function isNull(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null;
}

function quoted(text: unknown): string {
  return typeof text === 'string'
    ? `"${clip(clean(text), limits.cellCharactersMax)}"`
    : 'without a name';
}
