import { connect, type AddressInfo } from 'node:net';
import { Controller, Get, Post, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { callerOf, WorkerTokens } from '#platform/caller.js';
import { createHttpApp } from '#platform/http-app.js';
import { sendProblem } from '#platform/problem.js';
import { clockAt } from '#platform/projection.specification.js';
import { AccessToken } from './access-token.js';
import { guard, needOnApiPort, type GuardOptions } from './guard.js';

export const TOKEN = 'the-right-token-of-this-server';
export const SECRET = 'behind the door';

export const HOOKS_TOKEN = 'the-right-token-of-hooks';

export const WORKER_TOKEN = 'worker.w-1.the-right-one';

class OneWorker extends WorkerTokens {
  isWorkerToken(token: string): boolean {
    return token.startsWith('worker.');
  }
  workerOf(token: string): Promise<string | undefined> {
    if (token === 'worker.unreadable') return Promise.reject(new Error('The log is gone.'));
    return Promise.resolve(token === WORKER_TOKEN ? 'w-1' : undefined);
  }
}

@Controller()
class Everything {
  @Get('api/v1/secret')
  secret(): string {
    return SECRET;
  }
  @Post('api/v1/secret')
  change(): string {
    return SECRET;
  }
  @Get(['api/docs', 'api/docs/start.js', 'api/docs-json'])
  docs(): string {
    return SECRET;
  }
  @Post(['api/v1/claims', 'api/v1/attempts/:id/beat'])
  work(@Req() request: FastifyRequest): string {
    return `for ${callerOf(request).workerId ?? 'the operator'}`;
  }
  @Post('api/v1/hooks/:agent')
  hook(): string {
    return 'for hooks';
  }
  @Get(['health/live', 'metrics', '/'])
  open(): string {
    return 'open';
  }
}

export let app: NestFastifyApplication;
export let port: number;

export async function serve(needOf: GuardOptions['needOf'] = needOnApiPort(true)): Promise<void> {
  app = await createHttpApp({
    controllers: [Everything],
    providers: [],
    guard: guard({
      token: new AccessToken(TOKEN),
      hooksToken: new AccessToken(HOOKS_TOKEN),
      allowed: { hosts: ['tower.example'], origins: ['https://board.example'] },
      needOf,
      clock: clockAt('2026-11-20T10:00:00.000Z'),
      workers: new OneWorker(),
      refuse: (request, reply, refusal) => sendProblem(reply, request.url, refusal),
    }),
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  port = (app.getHttpServer() as { address(): AddressInfo }).address().port;
}
export async function stop(): Promise<void> {
  await app.close();
}

export interface Answer {
  status: number;
  head: string;
  body: string;
}

/** Sends these very bytes: no client tidies up the address or the headers. */
export function raw(
  target: string,
  headers: readonly string[] = [],
  method = 'GET',
): Promise<Answer> {
  const host = headers.some((it) => /^host:/i.test(it)) ? [] : [`Host: 127.0.0.1:${port}`];
  const lines = [`${method} ${target} HTTP/1.1`, ...host, ...headers, 'Connection: close', '', ''];
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(lines.join('\r\n')));
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = text.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), head, body });
    });
  });
}

export const bearer = (token: string) => `Authorization: Bearer ${token}`;
export const basic = (user: string, password: string) =>
  `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
