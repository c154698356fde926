import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * A TCP proxy that lets every request through and now and then cuts the connection instead of handing
 * back the answer: to the sender it looks as if nothing had arrived.
 */
export class LossyProxy {
  answers = 0;
  lost = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
    private readonly losesNext: () => boolean,
  ) {
    server.on('connection', (sender) => {
      this.join(sender);
    });
  }

  static async start(targetPort: number, losesNext: () => boolean): Promise<LossyProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LossyProxy(server, targetPort, losesNext);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private join(sender: Socket): void {
    const receiver = connect(this.targetPort, '127.0.0.1');
    for (const [one, other] of [
      [sender, receiver],
      [receiver, sender],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
    sender.on('data', (bytes) => receiver.write(bytes));
    // The answers of OTLP are short: each comes in one piece.
    receiver.on('data', (bytes) => {
      this.answers += 1;
      if (this.losesNext()) {
        this.lost += 1;
        sender.destroy();
      } else sender.write(bytes);
    });
  }
}
