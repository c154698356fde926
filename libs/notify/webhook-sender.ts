import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { limits } from '#kernel/limits.js';
import { clean, clip } from '#platform/harmless-text.js';
import { version } from '#platform/version.js';
import { isPublicAddress } from './addresses.policy.js';

/** What came of one attempt. */
export interface Outcome {
  readonly isDelivered: boolean;
  /** Null: there was no answer. */
  readonly status: number | null;
  /** One sentence: how it answered, or why it did not. */
  readonly reason: string;
  /** The beginning of what it answered, one harmless line. */
  readonly answer: string;
  readonly durationMs: number;
}

export interface Message {
  readonly url: string;
  readonly allowPrivate: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

const resolveAll: Resolve = (hostname) => lookup(hostname, { all: true });

/**
 * Sends one message, once. It never throws, follows no redirect, keeps no connection, and reads no
 * more of an answer than `limits.webhookAnswerBytesMax`.
 *
 * Unless the webhook may be private, a connection is only made to public addresses. They are looked at
 * where the socket asks for them: a name that meant a public address when it was added may mean
 * another now, and between a look of ours and a connection of the socket's it could change again.
 */
export class WebhookSender {
  constructor(
    private readonly resolve: Resolve = resolveAll,
    private readonly waitMs: number = limits.webhookRequestMs,
  ) {}

  /** @param signal gives up at once. */
  async send(message: Message, signal?: AbortSignal): Promise<Outcome> {
    const startedAt = performance.now();
    const deadline = AbortSignal.timeout(this.waitMs);
    const ending = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const came = await this.exchange(message, ending).catch((error: unknown) => ({
      status: null,
      reason: deadline.aborted
        ? `It did not answer within ${this.waitMs / 1000} s.`
        : `It could not be reached: ${reasonOf(error)}.`,
      answer: '',
    }));
    const { status } = came;
    const isDelivered = status !== null && status >= 200 && status < 300;
    return { ...came, isDelivered, durationMs: Math.round(performance.now() - startedAt) };
  }

  private async exchange(message: Message, signal: AbortSignal) {
    const response = await this.answerTo(message, signal);
    const status = response.statusCode ?? 0;
    const text = await beginningOf(response);
    const isRedirect = status >= 300 && status < 400;
    return {
      status,
      reason: `It answered ${status}${isRedirect ? ', and redirects are not followed' : ''}.`,
      answer: clip(clean(text), limits.webhookAnswerCharactersShown),
    };
  }

  private async answerTo(message: Message, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, allowPrivate, headers, body } = message;
    const { protocol, hostname, port, pathname, search } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol !== 'https:' && !allowPrivate) {
      throw new Error('plain http:// is only for webhooks that may be private');
    }
    // A socket asks nobody for an address that is written out.
    if (isIP(host) !== 0 && !allowPrivate) mustBePublic(host, [host]);
    const options: RequestOptions = {
      method: 'POST',
      hostname: host,
      port,
      path: pathname + search,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': `tri-agent/${version}`,
      },
      // A connection of its own, so that every attempt looks its address up anew.
      agent: false,
      lookup: this.lookupFor(allowPrivate),
      signal,
    };
    return new Promise((resolve, reject) => {
      const send = protocol === 'https:' ? requestHttps : requestHttp;
      send(options, resolve).on('error', reject).end(body);
    });
  }

  private lookupFor(allowPrivate: boolean): LookupFunction {
    return (hostname, options, done) => {
      this.resolve(hostname).then(
        (addresses) => {
          const [first] = addresses;
          const fault = faultOf(hostname, addresses, allowPrivate);
          if (fault !== undefined || first === undefined) done(fault ?? new Error(), '', 0);
          else if (options.all === true) done(null, [...addresses]);
          else done(null, first.address, first.family);
        },
        (error: unknown) => {
          done(error as NodeJS.ErrnoException, '', 0);
        },
      );
    };
  }
}

function faultOf(
  hostname: string,
  addresses: readonly LookupAddress[],
  allowPrivate: boolean,
): Error | undefined {
  if (addresses.length === 0) return new Error(`${hostname} has no address`);
  if (allowPrivate) return undefined;
  try {
    mustBePublic(
      hostname,
      addresses.map(({ address }) => address),
    );
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** One that is not is enough: which of them the socket would take is not ours to say. */
function mustBePublic(hostname: string, addresses: readonly string[]): void {
  const stray = addresses.find((address) => !isPublicAddress(address));
  if (stray === undefined) return;
  const where = stray === hostname ? stray : `${clip(clean(hostname), 100)} (${clean(stray)})`;
  throw new Error(`${where} is not on the public internet, and this webhook may not be private`);
}

/** Never fails: that it answered counts, not whether it finished its sentence. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= limits.webhookAnswerBytesMax) break;
    }
  } catch {
    // What came until then is shown.
  }
  response.destroy();
  return Buffer.concat(pieces).toString('utf8', 0, limits.webhookAnswerBytesMax);
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  const text = error instanceof Error ? error.message : String(error);
  return clip(clean(text), limits.noticeTextCharactersMax).replace(/\.$/, '') || 'no reason given';
}
