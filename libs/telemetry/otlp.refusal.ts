import { limits } from '#kernel/limits.js';
import { isLogError } from '#eventstore/src/log.js';
import { DecodeError } from './otlp.limit.decode.js';

/** Why an export is not accepted, as an HTTP status and a sentence for its sender. */
export class OtlpRefusal extends Error {
  override readonly name = 'OtlpRefusal';

  constructor(
    readonly httpCode: number,
    message: string,
  ) {
    super(message);
  }
}

export function bodyTooLarge(): OtlpRefusal {
  return new OtlpRefusal(
    413,
    `The body is larger than ${limits.bodyBytesMax} bytes, compressed or not; send smaller batches.`,
  );
}

export function overloaded(): OtlpRefusal {
  return new OtlpRefusal(503, 'Too many bytes are under way; send this again in a second.');
}

/**
 * What stands between a sender and a stored batch, whatever the transport. Undefined for anything
 * else, which is a bug.
 */
export function refusalOf(error: unknown): OtlpRefusal | undefined {
  if (error instanceof OtlpRefusal) return error;
  if (error instanceof DecodeError) {
    return new OtlpRefusal(error.code === 'too-large' ? 413 : 400, error.message);
  }
  // Whatever ails the log, the sender does right to keep the batch and send it again.
  return isLogError(error) ? notStored() : undefined;
}

/** An answer that makes every exporter send the batch again. */
export function notStored(): OtlpRefusal {
  return new OtlpRefusal(503, 'The batch could not be stored now; send it again in a second.');
}
