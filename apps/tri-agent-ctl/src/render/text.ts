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
