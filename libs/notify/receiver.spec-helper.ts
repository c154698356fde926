import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What it does with a request. */
export type Behaviour = (request: Received, response: ServerResponse, nth: number) => void;

const takesIt: Behaviour = (_request, response) => {
  response.writeHead(204).end();
};

/** A receiver of webhooks on loopback that keeps all it gets, and behaves as it is told to. */
export class Receiver {
  readonly received: Received[] = [];
  behaviour: Behaviour = takesIt;
  private readonly waiting = new Set<() => void>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      void this.take(request, response);
    });
  }

  static async start(behaviour: Behaviour = takesIt): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.behaviour = behaviour;
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  get kinds(): string[] {
    return this.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  }

  get noticeIds(): string[] {
    return this.received.map(
      ({ body }) => (JSON.parse(body) as { data: { noticeId: string } }).data.noticeId,
    );
  }

  /** Resolves when that many requests have come. */
  async until(count: number): Promise<void> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request) body += String(piece);
    const received = { path: request.url ?? '', headers: request.headers, body };
    this.received.push(received);
    this.behaviour(received, response, this.received.length);
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}

/** A behaviour of one status. */
export function answering(status: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => {
    response.writeHead(status, headers).end(status === 204 ? undefined : `status ${status}`);
  };
}
