import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Refusal } from '#kernel/refusal.js';
import { WorkerTokens, type Caller } from '#platform/caller.js';
import { Dispatcher } from './dispatcher.js';

const secretBytes = 32;
const form = /^worker\.([0-9a-f-]{36})\.[\w-]{43}$/;

/** A token names its worker, so that whose it claims to be is found without trying all. */
export function makeWorkerToken(workerId: string): { token: string; tokenHash: string } {
  const token = `worker.${workerId}.${randomBytes(secretBytes).toString('base64url')}`;
  return { token, tokenHash: hashOf(token).toString('hex') };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The tokens that workers were given when they registered. Only their hashes are kept. */
@Injectable()
export class RegisteredTokens extends WorkerTokens {
  constructor(private readonly dispatcher: Dispatcher) {
    super();
  }

  isWorkerToken(token: string): boolean {
    return form.test(token);
  }

  async workerOf(token: string): Promise<string | undefined> {
    const workerId = form.exec(token)?.[1];
    if (workerId === undefined) return undefined;
    const { workers } = await this.dispatcher.state();
    const hash = Buffer.from(workers.get(workerId)?.tokenHash ?? '', 'hex');
    const given = hashOf(token);
    return hash.length === given.length && timingSafeEqual(hash, given) ? workerId : undefined;
  }
}

/** The operator may speak for every worker, a worker only for itself. */
export function mustSpeakFor({ workerId }: Caller, worker: string): void {
  if (workerId === null || workerId === worker) return;
  const message = 'This token is of another worker. Show the one that was given at registration.';
  throw new Refusal('NOT_THIS_WORKER', message, { workerId: worker });
}

export function actorOf({ workerId }: Caller): string {
  return workerId === null ? 'operator:api' : `worker:${workerId}`;
}
