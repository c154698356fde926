import type { FastifyRequest } from 'fastify';

/** Who a request comes from: the operator, or the worker whose token it shows. */
export interface Caller {
  /** null = the operator. */
  readonly workerId: string | null;
}

const operator: Caller = { workerId: null };
const workers = new WeakMap<FastifyRequest, Caller>();

/** The guard says it once it has looked at the token. */
export function calledByWorker(request: FastifyRequest, workerId: string): void {
  workers.set(request, { workerId });
}

export function callerOf(request: FastifyRequest): Caller {
  return workers.get(request) ?? operator;
}

/** Knows the tokens of workers. A class, so that it is its own injection token. */
export abstract class WorkerTokens {
  /** Whether it has the form of such a token, true or not. */
  abstract isWorkerToken(token: string): boolean;
  /** Whose token it is; undefined when nobody's. */
  abstract workerOf(token: string): Promise<string | undefined>;
}
