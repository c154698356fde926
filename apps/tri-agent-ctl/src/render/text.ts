import { stripVTControlCharacters } from 'node:util';
import { limits } from '#kernel/limits.js';

/**
 * Text from agents and from the server as one harmless line: without terminal sequences, control
 * characters and those that reorder or hide what stands beside them.
 */
export function clean(text: string): string {
  return stripVTControlCharacters(text.slice(0, limits.lineCharactersMax * 4))
    .replace(/[\t\n\r\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .trim();
}

/** Cuts to that many characters, the last of them an ellipsis. */
export function clip(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const all = Array.from(text);
  return all.length <= characters ? text : `${all.slice(0, characters - 1).join('')}…`;
}

/**
 * JSON that is as harmless in a terminal as `clean` text and yet the same document: what a terminal
 * could act upon is written as an escape.
 */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
      ).join(''),
  );
}

/** The shortest length from eight on at which all the ids differ. */
export function shortIdLength(ids: readonly string[]): number {
  const distinct = new Set(ids).size;
  const longest = Math.max(8, ...ids.map((id) => id.length));
  for (let length = 8; length < longest; length += 1) {
    if (new Set(ids.map((id) => id.slice(0, length))).size === distinct) return length;
  }
  return longest;
}
