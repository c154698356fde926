import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface JsonAnswer {
  readonly status: number;
  /** Undefined where the answer has no body. */
  readonly body: unknown;
}

/**
 * One keep-alive connection, for bodies of JSON; what is asked meanwhile waits for the answer before it. Not fetch, because what
 * the client computes is taken from the server that it shares the machine with.
 */
export class JsonConnection {
  private readonly head: string;
  private socket: Socket | undefined;
  private received = '';
  private asked: PromiseWithResolvers<JsonAnswer> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly port: number,
    token: string,
  ) {
    this.head = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  }

  post(path: string, body: object): Promise<JsonAnswer> {
    const answered = this.turn.then(() => this.postInTurn(path, body));
    this.turn = answered.catch(() => undefined);
    return answered;
  }

  private async postInTurn(path: string, body: object): Promise<JsonAnswer> {
    const socket = (this.socket ??= await this.connect());
    const text = JSON.stringify(body);
    const length = Buffer.byteLength(text);
    socket.write(`POST ${path} HTTP/1.1\r\n${this.head}Content-Length: ${length}\r\n\r\n${text}`);
    this.asked = Promise.withResolvers<JsonAnswer>();
    return this.asked.promise;
  }

  close(): void {
    this.socket?.destroy();
  }

  private async connect(): Promise<Socket> {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.take(text);
    });
    socket.once('end', () => {
      // It closes what is idle for long, as while others have their turn.
      this.socket = undefined;
      this.asked?.reject(new Error('The server closed a connection.'));
    });
    return socket;
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
    const { asked } = this;
    this.asked = undefined;
    asked?.resolve({ status, body: length === 0 ? undefined : JSON.parse(body) });
  }
}
