import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { limits } from '#kernel/limits.js';
import type { Reservation } from './otlp.admission.js';
import { bodyTooLarge, OtlpRefusal, overloaded } from './otlp.refusal.js';

const GUNZIP_CHUNK_BYTES = 64 * 1024;

/**
 * Reads a request's body, decompressed, while it fits: into the limit of one body and into the
 * budget of all. The moment it does not, what was read is dropped, the rest is read off the wire
 * without being kept (so that the sender gets to see the answer), and memory never saw a bomb.
 *
 * @throws {OtlpRefusal}
 */
export function readBody(
  request: IncomingMessage,
  encoding: 'identity' | 'gzip',
  reservation: Reservation,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let wireBytes = 0;
    let bytes = 0;
    let settled = false;
    const gunzip = encoding === 'gzip' ? createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES }) : null;
    const source: Readable = gunzip ?? request;

    const refuse = (refusal: OtlpRefusal): void => {
      if (settled) return;
      settled = true;
      chunks.length = 0;
      source.off('data', keep);
      if (gunzip !== null) {
        request.unpipe(gunzip);
        gunzip.destroy();
      }
      request.resume();
      reject(refusal);
    };
    const keep = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limits.bodyBytesMax) refuse(bodyTooLarge());
      else if (!reservation.growTo(bytes)) refuse(overloaded());
      else chunks.push(chunk);
    };

    source.on('data', keep);
    source.once('end', () => {
      if (settled) return;
      settled = true;
      resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks, bytes));
    });
    request.on('error', () => {
      refuse(new OtlpRefusal(400, 'The connection ended before the body did.'));
    });
    if (gunzip === null) return;
    gunzip.on('error', () => {
      refuse(new OtlpRefusal(400, 'The body is not gzip, though its Content-Encoding says so.'));
    });
    // Many empty gzip members cost bytes on the wire and decompress to nothing.
    request.on('data', (chunk: Buffer) => {
      wireBytes += chunk.length;
      if (wireBytes > limits.bodyBytesMax) refuse(bodyTooLarge());
    });
    request.pipe(gunzip);
  });
}
