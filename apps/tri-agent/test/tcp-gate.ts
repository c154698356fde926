import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy that can be shut: nothing goes through then, and what was open is cut. */
export class TcpGate {
  private isShut = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (sender) => {
      if (this.isShut) sender.destroy();
      else this.join(sender);
    });
  }

  static async start(targetPort: number): Promise<TcpGate> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpGate(server, targetPort);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  shut(): void {
    this.isShut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  open(): void {
    this.isShut = false;
  }

  async stop(): Promise<void> {
    this.shut();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private join(sender: Socket): void {
    const receiver = connect(this.targetPort, '127.0.0.1');
    for (const socket of [sender, receiver]) this.sockets.add(socket);
    const end = (): void => {
      for (const socket of [sender, receiver]) {
        this.sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [sender, receiver]) socket.on('error', end).on('close', end);
    sender.pipe(receiver).pipe(sender);
  }
}
