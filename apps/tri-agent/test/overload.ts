import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { ServerProcess } from '#platform/server-process.js';
import { encodeRequest } from '#libs/telemetry/otlp.oracle.contract.js';
import { keyValues, logsOf, logsRequest, post, type Attributes } from './otlp-sender.js';
import { waitUntilProjected } from './support.js';

/** What the bodies of a flood are made of. */
export interface FloodOptions {
  /** How many bodies are sent, one each `everyMs`, whatever becomes of those before. */
  readonly bodies: number;
  readonly everyMs: number;
  readonly recordsPerBody: number;
  /** Besides those that each request has. */
  readonly attributesPerRecord: number;
  readonly charactersPerAttribute: number;
}

export interface FloodReport {
  readonly bodyMib: number;
  /** How often the flood was answered what; 0 is a connection that ended without an answer. */
  readonly answers: Readonly<Record<string, number>>;
  readonly smallAnswers: Readonly<Record<string, number>>;
  readonly slowestSmallMs: number;
  readonly retryAfterSecondsMax: number;
  readonly rssMibMax: number;
  readonly acknowledgedRequests: number;
  readonly storedRequests: number;
}

const MIB = 1024 * 1024;

/** Floods the server with large bodies, every third compressed, while a small client goes on exporting. */
export async function flood(server: ServerProcess, options: FloodOptions): Promise<FloodReport> {
  const tally = new Tally();
  const plain = encodeRequest('logs', logsRequest('claude-code', recordsOf(options)));
  const gzipped = gzipSync(plain, { level: 1 });
  const over = new AbortController();
  const small = (async () => {
    for (let count = 1; !over.signal.aborted; count += 1) {
      const startedAt = performance.now();
      const answer = await post(server, logsOf('claude-code', [requestOf('small', count)]));
      tally.small(answer.status, performance.now() - startedAt);
      tally.askedToWait(answer.retryAfter);
    }
  })();
  const sent: Promise<void>[] = [];
  for (let index = 0; index < options.bodies; index += 1) {
    const compressed = index % 3 === 2;
    sent.push(sendLarge(server, compressed ? gzipped : plain, compressed, tally));
    tally.look(server);
    await delay(options.everyMs);
  }
  let unanswered = sent.length;
  for (const one of sent) void one.then(() => (unanswered -= 1));
  while (unanswered > 0) {
    tally.look(server);
    await delay(options.everyMs);
  }
  over.abort();
  await small;
  await waitUntilProjected(server);
  tally.look(server);
  const largeStored = (tally.answers['200'] ?? 0) > 0 ? options.recordsPerBody : 0;
  return {
    answers: tally.answers,
    smallAnswers: tally.smallAnswers,
    slowestSmallMs: tally.slowestSmallMs,
    retryAfterSecondsMax: tally.retryAfterSecondsMax,
    rssMibMax: tally.rssMibMax,
    bodyMib: plain.length / MIB,
    acknowledgedRequests: (tally.smallAnswers['200'] ?? 0) + largeStored,
    storedRequests: await storedRequests(server),
  };
}

class Tally {
  readonly answers: Record<string, number> = {};
  readonly smallAnswers: Record<string, number> = {};
  slowestSmallMs = 0;
  retryAfterSecondsMax = 0;
  rssMibMax = 0;

  large(status: number, retryAfter: string | undefined): void {
    this.answers[status] = (this.answers[status] ?? 0) + 1;
    this.askedToWait(retryAfter);
  }

  small(status: number, ms: number): void {
    this.smallAnswers[status] = (this.smallAnswers[status] ?? 0) + 1;
    this.slowestSmallMs = Math.max(this.slowestSmallMs, Math.round(ms));
  }

  askedToWait(retryAfter: string | null | undefined): void {
    this.retryAfterSecondsMax = Math.max(this.retryAfterSecondsMax, Number(retryAfter ?? 0));
  }

  /** The most that the process ever had in memory, as the kernel counts it. */
  look({ pid }: ServerProcess): void {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    this.rssMibMax = Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  }
}

function requestOf(agent: string, count: number): Attributes {
  return {
    'event.name': 'api_request',
    'session.id': `${agent}-${count % 50}`,
    request_id: `${agent}-${count}`,
    model: 'claude-sonnet-4-5',
    input_tokens: 1,
    output_tokens: 1,
    cost_usd: 0.001,
  };
}

function recordsOf(options: FloodOptions): Record<string, unknown>[] {
  const { recordsPerBody, attributesPerRecord, charactersPerAttribute } = options;
  const text = 'x '.repeat(charactersPerAttribute / 2);
  const more = Object.fromEntries(
    Array.from({ length: attributesPerRecord }, (_, index) => [`attribute.${index}`, text]),
  );
  return Array.from({ length: recordsPerBody }, (_, index) => ({
    timeUnixNano: `${Date.now()}000000`,
    attributes: keyValues({ ...requestOf('large', index), ...more }),
  }));
}

/** Each on a connection of its own that stays open, as from a fleet of agents. */
function sendLarge(
  server: ServerProcess,
  body: Buffer,
  compressed: boolean,
  tally: Tally,
): Promise<void> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-length': body.length,
      ...(compressed ? { 'content-encoding': 'gzip' } : {}),
    };
    const agent = new Agent({ keepAlive: true });
    const options = { method: 'POST', headers, agent };
    const request = httpRequest(`${server.otlpUrl}/v1/logs`, options, (response) => {
      response.resume();
      response.on('end', () => {
        tally.large(response.statusCode ?? 0, response.headers['retry-after']);
        agent.destroy();
        resolve();
      });
    });
    request.on('error', () => {
      tally.large(0, undefined);
      resolve();
    });
    request.end(body);
  });
}

async function storedRequests(server: ServerProcess): Promise<number> {
  const usage = await (await server.get('/api/v1/usage?by=agent')).json();
  return (usage as { total: { requests: number } }).total.requests;
}
