/**
 * Checks of what a server answers. A schema library would do, too, but loading one takes longer than
 * everything else that a short question needs. A schema of such a library fits wherever a check does.
 */

export interface Check<Checked> {
  safeParse(value: unknown): Passed<Checked> | Failed;
}
interface Passed<Checked> {
  readonly success: true;
  readonly data: Checked;
}
interface Failed {
  readonly success: false;
  readonly error: { readonly issues: readonly Issue[] };
}
interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export type Of<Some> = Some extends Check<infer Checked> ? Checked : never;

type Fields = Readonly<Record<string, Check<unknown>>>;
type Optional<F extends Fields> = {
  [Name in keyof F]: undefined extends Of<F[Name]> ? Name : never;
}[keyof F];
type ObjectOf<F extends Fields> = { [Name in Exclude<keyof F, Optional<F>>]: Of<F[Name]> } & {
  [Name in Optional<F>]?: Of<F[Name]>;
} & Record<string, unknown>;

function simple<Checked>(what: string, holds: (value: unknown) => value is Checked) {
  const check: Check<Checked> = {
    safeParse: (value) => (holds(value) ? { success: true, data: value } : failed(what)),
  };
  return check;
}

function failed(what: string): Failed {
  return { success: false, error: { issues: [{ path: [], message: `must be ${what}` }] } };
}

function inside(name: PropertyKey, { error }: Failed): Failed {
  const issues = error.issues.map((it) => ({ ...it, path: [name, ...it.path] }));
  return { success: false, error: { issues } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const text = simple('text', (value) => typeof value === 'string');
export const name = simple(
  'a text that is not empty',
  (value): value is string => typeof value === 'string' && value !== '',
);
export const number = simple('a number', (value) => typeof value === 'number');
/** Tokens, requests and the like. */
export const count = simple(
  'a count',
  (value): value is number => typeof value === 'number' && value >= 0,
);
export const flag = simple('true or false', (value) => typeof value === 'boolean');
export const record = simple('an object', isRecord);

/** An object with at least these fields; further ones are kept as they are. */
export function object<F extends Fields>(fields: F): Check<ObjectOf<F>> {
  const checks = Object.entries(fields);
  return {
    safeParse: (value) => {
      if (!isRecord(value)) return failed('an object');
      for (const [field, check] of checks) {
        const result = check.safeParse(value[field]);
        if (!result.success) return inside(field, result);
      }
      return { success: true, data: value as ObjectOf<F> };
    },
  };
}

export function list<Item>(item: Check<Item>): Check<Item[]> {
  return {
    safeParse: (value) => {
      if (!Array.isArray(value)) return failed('a list');
      for (const [index, it] of value.entries()) {
        const result = item.safeParse(it);
        if (!result.success) return inside(index, result);
      }
      return { success: true, data: value as Item[] };
    },
  };
}

export function either<A, B>(one: Check<A>, other: Check<B>): Check<A | B> {
  return {
    safeParse: (value) => {
      const result = one.safeParse(value);
      return result.success ? result : other.safeParse(value);
    },
  };
}

export function orNull<Checked>(check: Check<Checked>): Check<Checked | null> {
  return {
    safeParse: (value) => (value === null ? { success: true, data: null } : check.safeParse(value)),
  };
}

/** What a server of another version, or one without that role, may leave out. */
export function maybe<Checked>(check: Check<Checked>): Check<Checked | null | undefined> {
  return {
    safeParse: (value) =>
      value === null || value === undefined
        ? { success: true, data: value }
        : check.safeParse(value),
  };
}
