import { isDeepStrictEqual } from 'node:util';
import { memberOf, setElement, setMember, type JsonObject } from './json-edit.js';

/**
 * Puts items of ours into the lists of `hooks` in JSON text, and takes them out, leaving every other
 * character as it is. The text must be valid JSON already.
 */

const name = 'hooks';

/**
 * The text with each item where ours stood in its event's list, or as the last. An empty list, an empty
 * object or undefined takes ours out: then the list stays, or goes if it is empty, or goes and `hooks`
 * with it if that is. Undefined when it cannot be done faithfully.
 */
export function editHooks(
  text: string,
  changes: ReadonlyMap<string, unknown>,
  isOurs: (item: unknown) => boolean,
): string | undefined {
  let edited: string | undefined = text;
  for (const [event, value] of changes) {
    edited = editEvent(edited, event, value, isOurs);
    if (edited === undefined) return undefined;
  }
  return edited;
}

function editEvent(
  text: string,
  event: string,
  value: unknown,
  isOurs: (item: unknown) => boolean,
): string | undefined {
  const expected = JSON.parse(text) as JsonObject;
  const hooks = expected[name] ?? {};
  if (!isObject(hooks)) return undefined;
  const list = Object.hasOwn(hooks, event) ? hooks[event] : [];
  if (!Array.isArray(list)) return undefined;
  const item = isObject(value) && Object.keys(value).length > 0 ? value : undefined;
  const found = list.findLastIndex(isOurs);
  const at = found < 0 ? list.length : found;
  const wanted: unknown[] = list.toSpliced(at, 1, ...(item === undefined ? [] : [item]));
  if (wanted.length > 0 || Array.isArray(value)) hooks[event] = wanted;
  else Reflect.deleteProperty(hooks, event);
  if (Object.keys(hooks).length > 0 || value !== undefined) expected[name] = hooks;
  else Reflect.deleteProperty(expected, name);
  const edited = written(text, event, expected[name] as JsonObject | undefined, { at, item });
  return isDeepStrictEqual(JSON.parse(edited), expected) ? edited : undefined;
}

/** @param hooks as they are to be. */
function written(
  text: string,
  event: string,
  hooks: JsonObject | undefined,
  { at, item }: { readonly at: number; readonly item: JsonObject | undefined },
): string {
  const root = text.indexOf('{');
  const section = memberOf(text, root, name);
  if (section === undefined || hooks === undefined) return setMember(text, root, name, hooks);
  const list = Object.hasOwn(hooks, event) ? hooks[event] : undefined;
  const there = memberOf(text, section.valueStart, event);
  if (there === undefined || list === undefined) {
    return setMember(text, section.valueStart, event, list);
  }
  return setElement(text, there.valueStart, at, item);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
