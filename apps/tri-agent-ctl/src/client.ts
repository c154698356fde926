import { limits } from '#kernel/limits.js';
import type { Check } from './checks.js';
import { Failure, exitCode, nameOf, reasonOf, systemCodeOf } from './failure.js';
import type { Io } from './io.js';
import { pageOf, problem } from './shapes.js';
import type { ServerAddress } from './address.js';
import { quickGet, type Answer } from './quick-get.js';
import type { Server } from './server.js';

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/** Asks any server, also one whose settings were not read. */
export type Asker = Client<ServerAddress>;

/** Speaks REST with one server. Whatever goes wrong is a `Failure`. */
export class Client<Address extends ServerAddress = Server> {
  constructor(
    readonly server: Address,
    private readonly io: Pick<Io, 'fetch'>,
  ) {}

  async get<Of>(path: string, shape: Check<Of>, query: Query = {}): Promise<Of> {
    return this.#read(path, shape, await this.#ask(`${this.server.url}${path}${search(query)}`));
  }

  /** @param wish JSON text, or what is to become it. */
  async post<Of>(path: string, shape: Check<Of>, wish: string | object): Promise<Of> {
    return this.#send('POST', path, shape, wish);
  }

  async put<Of>(path: string, shape: Check<Of>, wish: object): Promise<Of> {
    return this.#send('PUT', path, shape, wish);
  }

  async delete(path: string, query: Query): Promise<void> {
    const url = `${this.server.url}${path}${search(query)}`;
    const response = await this.request(url, { method: 'DELETE' });
    if (!response.ok) throw await this.refusalOf(response);
  }

  async #send<Of>(
    method: 'POST' | 'PUT',
    path: string,
    shape: Check<Of>,
    wish: string | object,
  ): Promise<Of> {
    const body = typeof wish === 'string' ? wish : JSON.stringify(wish);
    const headers = { 'content-type': 'application/json' };
    const response = await this.request(this.server.url + path, { method, headers, body });
    return this.#read(path, shape, response);
  }

  async #ask(url: string): Promise<Answer> {
    if (this.io.fetch !== undefined || !isOnLoopback(url)) return this.request(url);
    const { token } = this.server;
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(limits.requestWaitMs);
    const answer = await quickGet(url, headers, signal).catch((error: unknown) => {
      throw unreachable(url, error);
    });
    return answer ?? this.request(url);
  }

  /** Goes through the pages until there are `limit` items or no more. */
  async list<Item>(
    path: string,
    item: Check<Item>,
    limit: number,
    query: Query = {},
  ): Promise<Page<Item>> {
    const items: Item[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<Item> = await this.get(path, pageOf(item), {
        ...query,
        limit: Math.min(limit - items.length, limits.pageItemsMax),
        cursor: cursor ?? undefined,
      });
      items.push(...page.items);
      cursor = page.items.length === 0 ? null : page.nextCursor;
    } while (cursor !== null && items.length < limit);
    return { items: items.slice(0, limit), nextCursor: cursor };
  }

  /**
   * Any request to the server, with the token. The whole answer has to come in time; with `forever`,
   * which is for streams and ends them, only its beginning.
   */
  async request(
    url: string,
    init: RequestInit & { readonly forever?: AbortSignal } = {},
  ): Promise<Response> {
    const { forever, ...rest } = init;
    const headers = new Headers(rest.headers);
    const { token } = this.server;
    if (token !== null && this.#isTrusted(url)) headers.set('authorization', `Bearer ${token}`);
    if (forever === undefined) {
      const signal = AbortSignal.timeout(limits.requestWaitMs);
      return (this.io.fetch ?? fetch)(url, { ...rest, headers, signal }).catch((error: unknown) => {
        throw unreachable(url, error);
      });
    }
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new DOMException('No answer in time', 'TimeoutError'));
    }, limits.requestWaitMs);
    try {
      const signal = AbortSignal.any([forever, late.signal]);
      return await (this.io.fetch ?? fetch)(url, { ...rest, headers, signal });
    } catch (error) {
      throw forever.aborted ? error : unreachable(url, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #read<Of>(path: string, shape: Check<Of>, response: Answer): Promise<Of> {
    if (!response.ok) throw await this.refusalOf(response);
    const parsed = shape.safeParse(parseJson(await this.textOf(response)));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw this.#stranger(`${path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }

  /** On loopback another program may hold another port, and no other port asks for the token there. */
  #isTrusted(url: string): boolean {
    return !this.server.onLoopback || new URL(url).origin === new URL(this.server.url).origin;
  }

  /** The body as text, up to the limit on answers. */
  async textOf(response: Answer): Promise<string> {
    let text = '';
    try {
      for await (const piece of textPieces(response)) {
        text += piece;
        if (text.length > limits.answerBytesMax) throw this.#stranger('the answer has no end');
      }
    } catch (error) {
      throw error instanceof Failure ? error : unreachable(response.url, error);
    }
    return text;
  }

  async refusalOf(response: Answer): Promise<Failure> {
    const { status } = response;
    const parsed = problem.safeParse(parseJson(await this.textOf(response)));
    if (status === 401) return this.#lockedOut();
    const { code, detail, title } = parsed.success ? parsed.data : {};
    if (code === undefined && title === undefined) {
      return this.#stranger(`status ${status} without a reason`);
    }
    const retry = status === 429 || status === 503;
    return new Failure(
      code ?? `http_${status}`,
      `The server refused: ${sentence(detail ?? title ?? `status ${status}`)}`,
      retry
        ? 'Try again in a moment; "tri-agent-ctl doctor" shows what the server is waiting for.'
        : `The server's runbook (deployment/RUNBOOK.md) explains "${code ?? status}".`,
      exitCode.failed,
      status,
    );
  }

  #lockedOut(): Failure {
    const { token, tokenFile, tokenIsSet } = this.server;
    const used = tokenIsSet ? 'TRI_AGENT_TOKEN' : tokenFile;
    return token === null
      ? new Failure(
          'token_missing',
          `The server wants a token and there is none in ${tokenFile}.`,
          'Set TRI_AGENT_TOKEN, or TRI_AGENT_HOME to the data folder of that server.',
        )
      : new Failure(
          'token_refused',
          `The server at ${this.server.url} does not take the token of ${used}.`,
          'Set TRI_AGENT_TOKEN to the token of that server: the file "token" in its data folder.',
        );
  }

  #stranger(what: string): Failure {
    return new Failure(
      'answer_not_understood',
      `What answers at ${this.server.url} does not speak as tri-agent does (${what.trim()}).`,
      'Look whether TRI_AGENT_URL and TRI_AGENT_HTTP_PORT point at it, and whether both are of one version.',
    );
  }
}

function unreachable(url: string, error: unknown): Failure {
  const origin = new URL(url).origin;
  if (nameOf(error) === 'TimeoutError') {
    return new Failure(
      'server_silent',
      `The server at ${origin} gave no answer within ${limits.requestWaitMs / 1_000} s.`,
      'Try again; if it stays silent, look at its log and restart it.',
    );
  }
  const code = systemCodeOf(error);
  const refused = code === undefined || code === 'ECONNREFUSED' ? '' : ` (${code})`;
  return new Failure(
    'server_unreachable',
    `No server answers at ${origin}${refused}.`,
    'Start it with npm start, or set TRI_AGENT_URL to where it runs.',
  );
}

/** Where neither a proxy nor a redirect stands between. */
function isOnLoopback(url: string): boolean {
  return /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(url);
}

function search(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

/** The body as it comes in. */
export async function* textPieces(response: Answer): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const chunk of response.body ?? []) {
    if (typeof chunk === 'string') yield chunk;
    else yield (decoder ??= new TextDecoder()).decode(chunk, { stream: true });
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Whether the server knows no such thing. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Failure && error.httpStatus === 404;
}

export function describeFailure(error: unknown): string {
  return error instanceof Failure ? `${error.message} ${error.hint}` : reasonOf(error);
}
