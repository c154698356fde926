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
