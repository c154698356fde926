import { limits } from '#kernel/limits.js';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The server did not answer, or could not do what it was asked just now: it may be asked again. */
class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The server's answer is no: asking again in the same way is no use. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const noContent = 204;

/** Asks the server in the name of whoever has this token. */
export class ServerClient {
  constructor(
    readonly url: string,
    readonly token: string,
  ) {}

  /** The same server, for another token. */
  as(token: string): ServerClient {
    return new ServerClient(this.url, token);
  }

  /**
   * @returns undefined where there is nothing to answer (204)
   * @throws {Unreachable | Refused}
   */
  async post(
    path: string,
    body: object,
    { waitMs = limits.requestWaitMs, signal }: { waitMs?: number; signal?: AbortSignal } = {},
  ): Promise<Answer['body'] | undefined> {
    const deadline = AbortSignal.timeout(waitMs);
    const response = await this.fetch(path, {
      method: 'POST',
      headers: { ...this.headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    });
    if (response.status === noContent) return undefined;
    return answerOf(response);
  }

  /** @throws {Unreachable | Refused} */
  async get(path: string): Promise<Answer['body']> {
    const signal = AbortSignal.timeout(limits.requestWaitMs);
    return answerOf(await this.fetch(path, { headers: this.headers, signal }));
  }

  /** An open stream of server-sent events. */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.fetch(path, { headers: this.headers, signal });
    if (!response.ok) await answerOf(response);
    if (response.body === null) throw new Unreachable('The server opened no stream.');
    return response.body;
  }

  private get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.url}/api/v1/${path}`, init);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Unreachable(`No server answers at ${this.url}: ${reason}`);
    }
  }
}

async function answerOf(response: Response): Promise<Answer['body']> {
  const { status } = response;
  let body: Answer['body'];
  try {
    body = (await response.json()) as Answer['body'];
  } catch {
    throw new Unreachable(`What the server answered is not understood (status ${status}).`);
  }
  if (response.ok) return body;
  const detail = typeof body.detail === 'string' ? body.detail : `The status is ${status}.`;
  const code = typeof body.code === 'string' ? body.code : '';
  if (status >= 500 || status === 429) throw new Unreachable(detail);
  throw new Refused(status, code, detail);
}
