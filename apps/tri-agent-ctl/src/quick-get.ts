import type { IncomingMessage } from 'node:http';
import { get } from './builtins.js';

/** What is read of an answer, whoever fetched it. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly url: string;
  readonly body: AsyncIterable<Uint8Array | string> | null;
}

/**
 * GET from a server on this machine, as `fetch` does it but for redirects and compression, neither of
 * which it needs. A program that asks one short question would else spend most of its time on loading
 * `fetch`.
 */
export function quickGet(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { headers, signal }, (response) => {
      response.setEncoding('utf8');
      const status = response.statusCode ?? 0;
      const ok = status >= 200 && status < 300;
      resolve({ ok, status, url, body: bodyOf(response, signal) });
    }).on('error', (error) => {
      reject(reasonFor(error, signal));
    });
  });
}

async function* bodyOf(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<string> {
  try {
    for await (const chunk of response) yield chunk as string;
  } catch (error) {
    throw reasonFor(error, signal);
  }
}

/** An ended wait is told as such, and not as the broken connection that it leaves. */
function reasonFor(error: unknown, signal: AbortSignal): Error {
  const reason: unknown = signal.aborted ? signal.reason : error;
  return reason as Error;
}
