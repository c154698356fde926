import { limits } from '#kernel/limits.js';
import { DecodeError, malformed } from './otlp.limit.decode.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Resource, scope, record, attributes and value: the levels that every export has. */
const FIXED_JSON_LEVELS = 16;
/** What one level of nested values is in JSON: value, kvlistValue, values and the pair. */
const JSON_LEVELS_PER_VALUE = 4;
export const jsonLevelsMax = FIXED_JSON_LEVELS + JSON_LEVELS_PER_VALUE * limits.nestingLevelsMax;

/**
 * Looks at the bytes before JSON.parse gets them: how deep they nest and how many values they hold
 * is what costs stack and memory, and both can be known without building anything. Whether they
 * are JSON at all is left to JSON.parse.
 *
 * @throws {DecodeError}
 */
export function scanJson(bytes: Uint8Array): void {
  let level = 0;
  let tokens = 0;
  let inText = false;
  const length = bytes.length;
  for (let i = 0; i < length; i += 1) {
    const byte = bytes[i];
    if (inText) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === COMMA) tokens += 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      tokens += 1;
      level += 1;
      if (level > jsonLevelsMax) {
        throw malformed(`The JSON body is nested more than ${jsonLevelsMax} levels deep.`);
      }
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) level -= 1;
  }
  if (tokens > limits.jsonTokensPerExportMax) {
    throw new DecodeError(
      'too-large',
      `The JSON body holds more than ${limits.jsonTokensPerExportMax} values; send smaller batches.`,
    );
  }
}
