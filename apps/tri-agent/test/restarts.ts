import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import type { LoggerProviderOptions, LogRecordExporter } from '@opentelemetry/sdk-logs';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { ServerProcess } from '#platform/server-process.js';
import { waitUntil, waitUntilProjected } from './support.js';

export interface RestartsReport {
  readonly restarts: number;
  readonly requestsMade: number;
  /** Batches that an exporter gave up. */
  readonly batchesLost: number;
  /** Sessions whose requests, tokens or cost are not what their exporter sent. */
  readonly wrongSessions: readonly string[];
  /** From SIGKILL to listening again, the slowest. */
  readonly downMsMax: number;
}

interface SessionSeen {
  readonly sessionId: string;
  readonly costUsd: string | null;
  readonly tokens: { readonly input: number; readonly output: number };
}

const killAfterMsMax = 300;
const emitEveryMs = 20;
const batchEveryMs = 100;

/**
 * Lets real exporters of OpenTelemetry go on exporting while the server is killed with SIGKILL and
 * started again on the same ports, and then compares what every session cost with what was sent. A
 * kill comes when each exporter has got through since the last one, at a random moment.
 */
export async function survivesRestarts(
  exporters: number,
  restarts: number,
  progress: (sentence: string) => void,
): Promise<RestartsReport> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-restarts-'));
  const environment = await fixedPorts();
  let server = await ServerProcess.start({ home, environment });
  const url = `${server.otlpUrl}/v1/logs`;
  const agents = Array.from({ length: exporters }, (_, index) => new Agent(`agent-${index}`, url));
  let downMsMax = 0;
  try {
    for (let restart = 1; restart <= restarts; restart += 1) {
      await allGetThrough(agents);
      await delay(Math.random() * killAfterMsMax);
      await server.stop('SIGKILL');
      const killedAt = performance.now();
      server = await ServerProcess.start({ home, environment });
      downMsMax = Math.max(downMsMax, Math.round(performance.now() - killedAt));
      if (restart % 10 === 0) progress(`${restart} restarts`);
    }
    await Promise.all(agents.map((agent) => agent.finish()));
    return {
      restarts,
      requestsMade: agents.reduce((sum, { requests }) => sum + requests, 0),
      batchesLost: agents.reduce((sum, { batchesLost }) => sum + batchesLost, 0),
      wrongSessions: await wrongSessions(server, agents),
      downMsMax,
    };
  } finally {
    for (const agent of agents) agent.stop();
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** An agent client with its own exporter, and its own idea of what it has spent. */
class Agent {
  requests = 0;
  batchesSent = 0;
  batchesLost = 0;
  nanoUsd = 0n;
  private readonly provider: LoggerProvider;
  private readonly timer: NodeJS.Timeout;

  constructor(
    readonly sessionId: string,
    url: string,
  ) {
    const exporter = this.watched(new OTLPLogExporter({ url }));
    const processor = new BatchLogRecordProcessor({
      exporter,
      scheduledDelayMillis: batchEveryMs,
      // Longer than the exporter itself tries.
      exportTimeoutMillis: 30_000,
    });
    this.provider = new LoggerProvider({ resource, processors: [processor] });
    this.timer = setInterval(() => {
      this.request();
    }, emitEveryMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async finish(): Promise<void> {
    this.stop();
    await this.provider.forceFlush();
    await this.provider.shutdown();
  }

  private request(): void {
    this.requests += 1;
    const nanoUsd = BigInt((this.requests % 7) + 1) * 1_250n;
    this.nanoUsd += nanoUsd;
    this.provider.getLogger('claude_code').emit({
      body: 'claude_code.api_request',
      attributes: {
        'event.name': 'api_request',
        'session.id': this.sessionId,
        request_id: `${this.sessionId}-${this.requests}`,
        model: 'claude-sonnet-4-5',
        input_tokens: 3,
        output_tokens: 5,
        cost_usd: Number(nanoUsd) / 1e9,
      },
    });
  }

  private watched(exporter: LogRecordExporter): LogRecordExporter {
    return {
      export: (records, done) => {
        exporter.export(records, (result) => {
          if (result.error === undefined) this.batchesSent += 1;
          else this.batchesLost += 1;
          done(result);
        });
      },
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    };
  }
}

const resource: NonNullable<LoggerProviderOptions['resource']> = {
  attributes: { 'service.name': 'claude-code' },
  merge: () => resource,
  getRawAttributes: () => [['service.name', 'claude-code']],
};

async function allGetThrough(agents: readonly Agent[]): Promise<void> {
  const before = agents.map(({ batchesSent }) => batchesSent);
  await waitUntil('every exporter has got through', () =>
    agents.every(({ batchesSent }, index) => batchesSent > (before[index] ?? 0)),
  );
}

async function wrongSessions(server: ServerProcess, agents: readonly Agent[]): Promise<string[]> {
  await waitUntilProjected(server);
  const answer = await (await server.get('/api/v1/sessions?limit=500')).json();
  const { items } = answer as { items: readonly SessionSeen[] };
  const seen = new Map(items.map((session) => [session.sessionId, session]));
  return agents.flatMap(({ sessionId, requests, nanoUsd }) => {
    const session = seen.get(sessionId);
    const right =
      session?.tokens.input === requests * 3 &&
      session.tokens.output === requests * 5 &&
      BigInt(session.costUsd?.replace('.', '') ?? 0) === nanoUsd;
    return right ? [] : [`${sessionId}: ${requests} requests sent, ${JSON.stringify(session)}`];
  });
}

/** Ports that were free a moment ago, for a server that must come back where it was. */
async function fixedPorts(): Promise<Record<string, string>> {
  const names = ['TRI_AGENT_HTTP_PORT', 'TRI_AGENT_OTLP_HTTP_PORT', 'TRI_AGENT_OTLP_GRPC_PORT'];
  const holders = names.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const ports = holders.map((holder) => String((holder.address() as AddressInfo).port));
  await Promise.all(holders.map((holder) => once(holder.close(), 'close')));
  return Object.fromEntries(names.map((name, index) => [name, ports[index] ?? '']));
}
