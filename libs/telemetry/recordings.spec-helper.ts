import { decodeExport } from './otlp.decode.js';
import type { Export, Signal } from './otlp.records.js';

const OPENING_BRACE = '{'.charCodeAt(0);

/** Decodes a recorded body, whichever encoding it is in. */
export function decode(signal: Signal, bytes: Uint8Array): Export {
  return decodeExport(signal, bytes[0] === OPENING_BRACE ? 'json' : 'protobuf', bytes);
}
