import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClaimAnswer, MoveName } from '#libs/dispatch/attempts.shapes.js';
import type { Registered } from '#libs/dispatch/workers.shapes.js';
import type { ServerProcess } from '#platform/server-process.js';

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly body: Body;
}

/** What an attempt is known by. */
export type Held = Pick<ClaimAnswer, 'taskId' | 'attemptId' | 'fencingToken'>;

const unavailable = 503;
const nothingToDo = 204;
const retryMs = 50;
const givenUpMs = 60_000;

/** REST under `/api/v1`, as an operator or a worker speaks it. */
export class DispatchClient {
  /** Answers that came, over all of its life. */
  answers = 0;

  constructor(
    readonly url: string,
    readonly token: string,
  ) {}

  static operatorOf({ url, home }: ServerProcess): DispatchClient {
    return new DispatchClient(url, readFileSync(join(home, 'token'), 'utf8').trim());
  }

  /** One try. Rejects when no answer came. */
  async ask<Body>(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<Answer<Body>> {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    this.answers += 1;
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
  }

  get<Body>(path: string): Promise<Answer<Body>> {
    return this.ask('GET', path);
  }

  post<Body>(path: string, body: object = {}, signal?: AbortSignal): Promise<Answer<Body>> {
    return this.ask('POST', path, body, signal);
  }

  /** The same again until there is an answer: the server may be away, or its log busy. */
  async insist<Body>(path: string, body: object = {}): Promise<Answer<Body>> {
    const givenUpAt = performance.now() + givenUpMs;
    for (;;) {
      try {
        const answer = await this.post<Body>(path, body);
        if (answer.status !== unavailable) return answer;
      } catch (error) {
        if (performance.now() > givenUpAt) throw error;
      }
      await delay(retryMs);
    }
  }

  /** @returns the id of the task */
  async submit(task: object = {}): Promise<string> {
    const { status, body } = await this.insist<{ taskId: string }>('tasks', {
      prompt: '-',
      ...task,
    });
    if (status !== 201) throw new Error(`A task was refused: ${JSON.stringify(body)}`);
    return body.taskId;
  }

  async register(worker: object = {}): Promise<WorkerClient> {
    const { status, body } = await this.insist<Registered>('workers', worker);
    if (status !== 201) throw new Error(`A worker was refused: ${JSON.stringify(body)}`);
    return new WorkerClient(this.url, body);
  }
}

/** A worker with the token that it was given. */
export class WorkerClient extends DispatchClient {
  readonly workerId: string;

  constructor(
    url: string,
    readonly registered: Registered,
  ) {
    super(url, registered.token);
    this.workerId = registered.workerId;
  }

  /** Undefined when there is nothing for it. */
  async claim(waitMs = 0, attemptId: string = randomUUID()): Promise<ClaimAnswer | undefined> {
    const { workerId } = this;
    const { status, body } = await this.insist<ClaimAnswer>('claims', {
      workerId,
      waitMs,
      attemptId,
    });
    if (status === nothingToDo) return undefined;
    if (status !== 200) throw new Error(`A claim was refused: ${JSON.stringify(body)}`);
    return body;
  }

  /** A claim that must come to something. */
  async mustClaim(waitMs = 0): Promise<ClaimAnswer> {
    const claimed = await this.claim(waitMs);
    if (claimed === undefined) throw new Error(`There was no task within ${waitMs} ms.`);
    return claimed;
  }

  move<Body>(
    { attemptId, fencingToken }: Held,
    name: MoveName,
    more: object = {},
  ): Promise<Answer<Body>> {
    return this.insist(`attempts/${attemptId}/${name}`, { fencingToken, ...more });
  }
}
