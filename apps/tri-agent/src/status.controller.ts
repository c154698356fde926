import { Controller, Get, Inject } from '@nestjs/common';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { EventLog } from '#eventstore/src/log.js';
import { SessionsQueries } from '#libs/sessions/sessions.queries.js';
import { UsageQueries } from '#libs/sessions/usage.queries.js';
import { isRefusal } from '#kernel/refusal.js';
import { Clock } from '#platform/clock.js';
import type { Config } from '#platform/config.js';
import type { ApiRoute } from '#platform/openapi.js';
import type { ProjectionLag } from '#platform/projection-lag.js';
import { ReadModels } from '#platform/read-models.js';
import type { Ports } from '#platform/server-process.js';
import { version } from '#platform/version.js';

/** Injection token: what only the process itself knows. */
export const STATUS_SOURCE = Symbol('what the process knows of itself');

export interface StatusSource {
  readonly config: Config;
  readonly startedAt: Date;
  /** Known once the application listens. */
  ports: Ports;
  readonly lags: () => Promise<readonly ProjectionLag[]>;
}

const port = z.int().nullable();
const statusShape = z.object({
  version: z.string(),
  node: z.string(),
  sqlite: z.string(),
  startedAt: z.iso.datetime(),
  uptimeSeconds: z.int(),
  home: z.string(),
  roles: z.array(z.string()),
  ports: z.object({ http: port, otlpHttp: port, otlpGrpc: port }),
  log: z.object({ head: z.string() }),
  projections: z.array(z.object({ name: z.string(), position: z.string(), lagMs: z.int() })),
  sessions: z.object({ active: z.int(), idle: z.int() }).nullable(),
  today: z.object({ costUsd: z.string().nullable(), tokens: z.int() }).nullable(),
});
type Status = z.infer<typeof statusShape>;

export const statusRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/status',
    summary: 'The server, its log, its read models and today in figures.',
    answer: { type: 'application/json', schema: statusShape },
    problems: [],
  },
];

@Controller('api/v1/status')
export class StatusController {
  constructor(
    @Inject(STATUS_SOURCE) private readonly source: StatusSource,
    private readonly log: EventLog,
    private readonly models: ReadModels,
    private readonly sessions: SessionsQueries,
    private readonly usage: UsageQueries,
    private readonly clock: Clock,
  ) {}

  @Get()
  async status(): Promise<Status> {
    const { config, startedAt, ports, lags } = this.source;
    const lagOf = new Map((await lags()).map((lag) => [lag.projection, lag.milliseconds]));
    return {
      version,
      node: process.version,
      sqlite: sqliteVersion(),
      startedAt: startedAt.toISOString(),
      uptimeSeconds: Math.round((this.clock.now() - startedAt.getTime()) / 1000),
      home: config.home,
      roles: [...config.roles],
      ports,
      log: { head: String(await this.log.head()) },
      projections: this.models.positions().map(({ name, position }) => ({
        name,
        position: String(position),
        lagMs: Math.round(lagOf.get(name) ?? 0),
      })),
      sessions: whenReady(() => this.sessions.countByState()),
      today: whenReady(() => this.today()),
    };
  }

  /** Since midnight UTC. */
  private today(): Status['today'] {
    const midnight = new Date(this.clock.now());
    midnight.setUTCHours(0, 0, 0, 0);
    const { total } = this.usage.list({
      by: 'agent',
      timezone: 'UTC',
      since: midnight.toISOString(),
      limit: 1,
    });
    const { input, output, cacheRead, cacheCreation } = total.tokens;
    return { costUsd: total.costUsd, tokens: input + output + cacheRead + cacheCreation };
  }
}

/** Null while a read model is being rebuilt: the rest of the status is worth having meanwhile. */
function whenReady<Answer>(ask: () => Answer): Answer | null {
  try {
    return ask();
  } catch (error) {
    if (isRefusal(error, 'READ_MODEL_BUILDING')) return null;
    throw error;
  }
}

function sqliteVersion(): string {
  const db = new Database(':memory:');
  try {
    return db.prepare('SELECT sqlite_version()').pluck().get() as string;
  } finally {
    db.close();
  }
}
