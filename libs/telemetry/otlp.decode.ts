import type { Encoding } from './otlp.answers.js';
import { decodeJson } from './otlp.json.decode.js';
import { decodeProtobuf } from './otlp.protobuf.decode.js';
import type { Export, Signal } from './otlp.records.js';

/** @throws {DecodeError} */
export function decodeExport(signal: Signal, encoding: Encoding, body: Uint8Array): Export {
  return encoding === 'json' ? decodeJson(signal, body) : decodeProtobuf(signal, body);
}
