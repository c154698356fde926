import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface JsonAnswer {
  readonly status: number;
  /** Undefined where the answer has no body. */
  readonly body: unknown;
}

/**
 * One keep-alive connection with one request in flight, for bodies of JSON. Not fetch, because what
 * the client computes is taken from the server that it shares the machine with.
 */
export class JsonConnection {
  private received = '';
  private answered: ((answer: JsonAnswer) => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly head: string,
  ) {
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.take(text);
    });
    socket.once('end', () => {
      throw new Error('The server closed a connection.');
    });
  }

  static async open(port: number, token: string): Promise<JsonConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const head = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    return new JsonConnection(socket, head);
  }

  post(path: string, body: object): Promise<JsonAnswer> {
    const text = JSON.stringify(body);
    const length = Buffer.byteLength(text);
    this.socket.write(
      `POST ${path} HTTP/1.1\r\n${this.head}Content-Length: ${length}\r\n\r\n${text}`,
    );
    return new Promise((resolve) => (this.answered = resolve));
  }

  close(): void {
    this.socket.destroy();
  }

  /** What is asked here is answered in ASCII, so that characters are bytes. */
  private take(text: string): void {
    this.received += text;
    const bodyAt = this.received.indexOf('\r\n\r\n') + 4;
    if (bodyAt < 4) return;
    const length = Number(/content-length: (\d+)/i.exec(this.received)?.[1] ?? 0);
    if (this.received.length < bodyAt + length) return;
    const body = this.received.slice(bodyAt, bodyAt + length);
    const status = Number(this.received.slice(9, 12));
    this.received = '';
    this.answered?.({ status, body: length === 0 ? undefined : JSON.parse(body) });
  }
}
