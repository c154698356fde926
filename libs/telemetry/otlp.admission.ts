import type { Registry } from 'prom-client';
import { Gauge } from 'prom-client';
import { limits } from '#kernel/limits.js';

/**
 * One budget of body bytes for all requests under way, over HTTP and gRPC alike. It is what keeps
 * memory bounded under overload: who does not fit is told to come back, before its body is read.
 */
export class Admission {
  private held = 0;
  private lastTurn: Promise<unknown> = Promise.resolve();

  constructor(
    registry: Registry,
    private readonly bytesMax: number = limits.bodiesInFlightBytesMax,
  ) {
    const inFlightBytes = (): number => this.held;
    new Gauge({
      name: 'tri_agent_otlp_in_flight_bytes',
      help: 'Bytes of OTLP bodies that are held by requests under way.',
      registers: [registry],
      collect() {
        this.set(inFlightBytes());
      },
    });
  }

  get inFlightBytes(): number {
    return this.held;
  }

  /** Undefined when there is no room for so many bytes now. */
  reserve(bytes: number): Reservation | undefined {
    const reservation = new Reservation((change) => this.change(change));
    return reservation.growTo(bytes) ? reservation : undefined;
  }

  /**
   * What is made of a body takes many times its memory, so large ones are worked on one after another,
   * in the order in which they came. Small ones need not wait.
   */
  async inTurn<Result>(bodyBytes: number, work: () => Promise<Result>): Promise<Result> {
    if (bodyBytes <= limits.smallBodyBytesMax) return work();
    const turn = this.lastTurn.then(work);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  private change(bytes: number): boolean {
    if (bytes > 0 && this.held + bytes > this.bytesMax) return false;
    this.held += bytes;
    return true;
  }
}

/** What one request holds of the budget, until it is released. */
export class Reservation {
  private bytes = 0;

  constructor(private readonly change: (bytes: number) => boolean) {}

  /** False when the budget has no room for it; what was held before stays held. */
  growTo(bytes: number): boolean {
    if (bytes <= this.bytes) return true;
    if (!this.change(bytes - this.bytes)) return false;
    this.bytes = bytes;
    return true;
  }

  release(): void {
    this.change(-this.bytes);
    this.bytes = 0;
  }
}
