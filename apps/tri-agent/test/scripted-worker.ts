import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerProcess } from '#platform/server-process.js';

export interface Claimed {
  readonly taskId: string;
  readonly attemptId: string;
  readonly fencingToken: number;
  readonly task: { readonly prompt: string; readonly agent: string };
}

/** A worker that does what a test tells it to, over HTTP and with a token of its own. */
export class ScriptedWorker {
  private constructor(
    private readonly url: string,
    readonly workerId: string,
    private readonly token: string,
  ) {}

  static async register(server: ServerProcess, wish: object = {}): Promise<ScriptedWorker> {
    const token = readFileSync(join(server.home, 'token'), 'utf8').trim();
    const answer = await post(`${server.url}/api/v1/workers`, token, wish);
    if (answer.status !== 201) throw new Error(await answer.text());
    const registered = (await answer.json()) as { workerId: string; token: string };
    return new ScriptedWorker(server.url, registered.workerId, registered.token);
  }

  /** Undefined when there is nothing to claim now. */
  async claim(): Promise<Claimed | undefined> {
    const answer = await post(`${this.url}/api/v1/claims`, this.token, { workerId: this.workerId });
    if (answer.status === 204) return undefined;
    if (answer.status !== 200) throw new Error(await answer.text());
    return (await answer.json()) as Claimed;
  }

  /** The status of the answer. */
  async move(
    { attemptId, fencingToken }: Claimed,
    move: string,
    more: object = {},
  ): Promise<number> {
    const url = `${this.url}/api/v1/attempts/${attemptId}/${move}`;
    return (await post(url, this.token, { fencingToken, ...more })).status;
  }
}

function post(url: string, token: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}
