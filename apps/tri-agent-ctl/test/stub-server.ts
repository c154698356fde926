import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogEvent, Session } from '../src/shapes.js';

/** A real HTTP server with the shapes of tri-agent's API, holding what a test puts into it. */

const token = 'a-token-for-tests-only';
const noTokens = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0, reasoning: null };

interface Streaming {
  readonly response: ServerResponse;
  readonly session: string | null;
  readonly type: string | null;
}

export class StubServer {
  sessions: Session[] = [];
  events: LogEvent[] = [];
  usageItems: Record<string, unknown>[] = [];
  usageTotal: Record<string, unknown> = {
    ...{ requests: 4, tokens: noTokens, costUsd: '0.037258500', unpricedRequests: 0 },
  };
  usagePageItems = 5_000;
  comparedModels: Record<string, unknown>[] = [];
  ready: { name: string; ok: boolean; detail: string }[] = [
    { name: 'log', ok: true, detail: 'takes writes' },
  ];
  acceptedToken: string = token;
  sqlite = '3.54.1';
  /** What the OTLP port does with a record: counts it, or swallows it as another program would. */
  countsRecords = true;
  dateOffsetMs = 0;
  home = '/somewhere';
  /**
   * Answers to what no other shape is kept for, by path; a list is paged. Each body posted there stands in
   * `posted`.
   */
  readonly answers: Record<string, unknown> = {};
  /** Answers to what is posted, where asking for the same path is answered otherwise. */
  readonly postAnswers: Record<string, unknown> = {};
  /** What is refused instead, by path. */
  readonly refusals: Record<string, { status: number; code: string; detail: string }> = {};
  readonly posted: unknown[] = [];
  readonly requests: string[] = [];
  readonly lastEventIds: (string | undefined)[] = [];
  readonly exports: unknown[] = [];
  readonly #http: Server;
  readonly #otlp: Server;
  readonly #streams = new Set<Streaming>();
  #recordCount = 7;

  private constructor() {
    this.#http = createServer((request, response) => {
      this.#answer(request, response);
    });
    this.#otlp = createServer((request, response) => {
      void this.#receive(request, response);
    });
  }

  static async start(): Promise<StubServer> {
    const stub = new StubServer();
    await Promise.all([listen(stub.#http), listen(stub.#otlp)]);
    return stub;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get otlpPort(): number {
    return (this.#otlp.address() as AddressInfo).port;
  }

  /** The environment in which the program finds this server. */
  env(home: string): Record<string, string> {
    return {
      HOME: home,
      TRI_AGENT_HOME: `${home}/.tri-agent`,
      TRI_AGENT_URL: `http://127.0.0.1:${this.port}`,
      TRI_AGENT_TOKEN: token,
    };
  }

  /** Appends an event: whoever streams gets it. */
  publish(event: LogEvent): void {
    this.events.push(event);
    for (const stream of this.#streams) send(stream, event);
  }

  breakStreams(): void {
    for (const { response } of this.#streams) response.destroy();
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  async stop(): Promise<void> {
    for (const server of [this.#http, this.#otlp]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://stub');
    this.requests.push(`${request.method ?? ''} ${url.pathname}${url.search}`);
    response.setHeader('date', new Date(Date.now() + this.dateOffsetMs).toUTCString());
    if (url.pathname === '/health/live') json(response, 200, { status: 'ok' });
    else if (url.pathname === '/health/ready') {
      const fine = this.ready.every(({ ok }) => ok);
      json(response, fine ? 200 : 503, { status: fine ? 'ok' : 'error', checks: this.ready });
    } else if (url.pathname === '/metrics') {
      response.end(
        `# TYPE tri_agent_otlp_records_total counter\n` +
          `tri_agent_otlp_records_total{agent="claude-code"} 5\n` +
          `tri_agent_otlp_records_total{agent="unknown"} ${this.#recordCount - 5}\n`,
      );
    } else if (request.headers.authorization !== `Bearer ${this.acceptedToken}`) {
      problem(response, 401, 'unauthorized', 'The token is missing or wrong.');
    } else this.#answerApi(url, request, response);
  }

  #answerApi(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const [, , , noun, rawId, verb] = url.pathname.split('/');
    const id = decodeURIComponent(rawId ?? '');
    const refusal = this.refusals[url.pathname];
    if (refusal !== undefined) problem(response, refusal.status, refusal.code, refusal.detail);
    else if (request.method === 'DELETE') response.writeHead(204).end();
    else if (request.method === 'POST' || request.method === 'PUT')
      void this.#take(url, request, response);
    else if (Object.hasOwn(this.answers, url.pathname)) {
      const answer = this.answers[url.pathname];
      if (Array.isArray(answer)) page(response, answer, url);
      else json(response, 200, answer);
    } else if (noun === 'status') json(response, 200, this.#status());
    else if (noun === 'usage' && id === 'models') {
      json(response, 200, { items: this.comparedModels });
    } else if (noun === 'usage') json(response, 200, this.#usage(url));
    else if (noun === 'stream') this.#stream(url, request, response);
    else if (noun === 'sessions' && rawId === undefined) {
      const agent = url.searchParams.get('agent');
      const state = url.searchParams.get('state');
      const chosen = this.sessions.filter(
        (session) =>
          (agent === null || session.agent === agent) &&
          (state === null || session.state === state),
      );
      page(response, chosen, url);
    } else if (noun === 'sessions') {
      const found = this.sessions.find(({ sessionId }) => sessionId === id);
      if (found === undefined) problem(response, 404, 'session_not_found', `No session ${id}.`);
      else if (verb === 'events') {
        page(
          response,
          this.events.filter(({ data }) => data.sessionId === id),
          url,
        );
      } else json(response, 200, found);
    } else problem(response, 404, 'route_not_found', 'No such route.');
  }

  async #take(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.posted.push(JSON.parse(body));
    const answer = this.postAnswers[url.pathname] ?? this.answers[url.pathname];
    if (answer === undefined) response.writeHead(204).end();
    else json(response, 200, answer);
  }

  #status(): unknown {
    return {
      version: '0.1.0',
      node: '24.21.0',
      sqlite: this.sqlite,
      startedAt: '2026-11-20T10:00:00.000Z',
      uptimeSeconds: 7_500,
      home: this.home,
      roles: ['receiver', 'api', 'projector', 'watchdog'],
      ports: { http: this.port, otlpHttp: this.otlpPort, otlpGrpc: this.otlpPort },
      log: { head: this.events.at(-1)?.position ?? '0' },
      projections: [{ name: 'sessions', version: 1, position: '1234', lagMs: 3 }],
      sessions: { active: this.sessions.length, idle: 0 },
      today: { costUsd: '4.123456789', tokens: 1_234_567 },
    };
  }

  #usage(url: URL): unknown {
    const from = Number(url.searchParams.get('cursor') ?? '0');
    const to = from + this.usagePageItems;
    const nextCursor = to < this.usageItems.length ? String(to) : null;
    return { items: this.usageItems.slice(from, to), nextCursor, total: this.usageTotal };
  }

  #stream(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const lastEventId = request.headers['last-event-id'] as string | undefined;
    this.lastEventIds.push(lastEventId);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': welcome\n\n');
    const stream = {
      response,
      session: url.searchParams.get('session'),
      type: url.searchParams.get('type'),
    };
    const after = BigInt(lastEventId ?? this.events.at(-1)?.position ?? '0');
    for (const event of this.events) if (BigInt(event.position) > after) send(stream, event);
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.exports.push({
      authorization: request.headers.authorization,
      body: JSON.parse(body) as unknown,
    });
    if (this.countsRecords) this.#recordCount += 1;
    json(response, 200, { partialSuccess: {} });
  }
}

function send({ response, session, type }: Streaming, event: LogEvent): void {
  if (session !== null && event.data.sessionId !== session) return;
  if (type !== null && event.type !== type) return;
  const data = JSON.stringify(event);
  response.write(`id: ${event.position}\nevent: ${event.type}\ndata: ${data}\n\n`);
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, code: string, detail: string): void {
  response.statusCode = status;
  response
    .setHeader('content-type', 'application/problem+json')
    .end(JSON.stringify({ title: 'No', status, code, detail }));
}

/** Cursors are offsets here. */
function page(response: ServerResponse, all: readonly unknown[], url: URL): void {
  const from = Number(url.searchParams.get('cursor') ?? '0');
  const to = from + Number(url.searchParams.get('limit') ?? '50');
  const nextCursor = to < all.length ? String(to) : null;
  json(response, 200, { items: all.slice(from, to), nextCursor });
}
