import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { EventLog } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import type { PublishedPrices } from '#kernel/price-shapes.js';
import { calledByWorker } from '#platform/caller.js';
import { Clock } from '#platform/clock.js';
import { ContentStore } from '#platform/content-store.js';
import { createHttpApp } from '#platform/http-app.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { Redactor } from '#platform/redaction.js';
import type { BudgetReading } from './commands.js';
import { Allowances, type Allowance } from './allowances.js';
import { Dispatcher } from './dispatcher.js';
import { dispatch } from './index.js';
import { OutputStore } from './output-store.js';
import { dispatchProjections } from './projections.js';
import { TelemetryWatch } from './telemetry-watch.js';
import { RegisteredTokens } from './worker-tokens.js';

/** For specifications: dispatch behind real HTTP, on a log in memory and read models on disk. */
export class DispatchServer {
  readonly content: ContentStore;
  dispatcher: Dispatcher;
  budgets: readonly BudgetReading[] = [];
  readonly allowances = new ToldAllowances();
  url = '';
  private readonly folder = mkdtempSync(join(tmpdir(), 'dispatch-'));
  private readonly writer: ReadModelsWriter;
  private readonly models: ReadModels;
  private readonly ending = new AbortController();
  private app: NestFastifyApplication | undefined;
  private telemetry: TelemetryWatch | undefined;

  constructor(readonly log: EventLog = new MemoryLog()) {
    this.content = new ContentStore(join(this.folder, 'content'));
    const file = join(this.folder, 'read-models.db');
    this.writer = ReadModelsWriter.open(file, dispatchProjections, 0n, () => undefined);
    this.models = new ReadModels(file);
    this.dispatcher = this.makeDispatcher();
  }

  /** Starts the server, or another one in the place of the one before, which knows nothing any more. */
  async start(): Promise<void> {
    await this.app?.close();
    await this.telemetry?.stop();
    await this.dispatcher.stop();
    this.dispatcher = this.makeDispatcher();
    const tokens = new RegisteredTokens(this.dispatcher);
    this.app = await createHttpApp({
      controllers: dispatch.controllers,
      providers: [
        ...dispatch.providers,
        { provide: Dispatcher, useValue: this.dispatcher },
        { provide: EventLog, useValue: this.log },
        { provide: ContentStore, useValue: this.content },
        { provide: Allowances, useValue: this.allowances },
        { provide: OutputStore, useValue: new OutputStore(join(this.folder, 'output')) },
        { provide: Redactor, useValue: new Redactor([]) },
        { provide: ReadModels, useValue: this.models },
        { provide: Clock, useValue: new Clock() },
      ],
      guard: (request, _reply, done) => {
        const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
        tokens.workerOf(token).then((workerId) => {
          if (workerId !== undefined) calledByWorker(request, workerId);
          done();
        }, done);
      },
      logger: false,
    });
    await this.app.listen(0, '127.0.0.1');
    this.url = await this.app.getUrl();
    this.dispatcher.start();
    this.telemetry = this.watch();
    if (!this.isProjecting) void this.project();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.app?.close();
    await this.telemetry?.stop();
    await this.dispatcher.stop();
    this.models.close();
    this.writer.close();
    rmSync(this.folder, { recursive: true });
  }

  async get(path: string): Promise<Answer> {
    return answerOf(await fetch(`${this.url}/api/v1/${path}`));
  }

  /** @param token of a worker; without it the operator asks. */
  async post(path: string, body: object = {}, token = '', signal?: AbortSignal): Promise<Answer> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return answerOf(
      await fetch(`${this.url}/api/v1/${path}`, signal === undefined ? init : { ...init, signal }),
    );
  }

  /** @returns the id of the task */
  async submit(task: object = {}): Promise<string> {
    const { status, body } = await this.post('tasks', { prompt: 'Tidy up.', ...task });
    expect([status, body.created]).toEqual([201, true]);
    return String(body.taskId);
  }

  async register(worker: object = {}): Promise<{ workerId: string; token: string }> {
    const { status, body } = await this.post('workers', { agents: ['claude-code'], ...worker });
    expect(status).toBe(201);
    return { workerId: String(body.workerId), token: String(body.token) };
  }

  async events(): Promise<RecordedDomainEvent[]> {
    return (await this.log.read(DISPATCH_STREAM, 0, 100_000)) as RecordedDomainEvent[];
  }

  private isProjecting = false;

  private async project(): Promise<void> {
    this.isProjecting = true;
    for await (const batch of this.log.follow(0n, { signal: this.ending.signal })) {
      this.writer.apply(batch);
    }
  }

  private watch(): TelemetryWatch {
    const watch = new TelemetryWatch(this.log, this.dispatcher, fail);
    watch.start();
    return watch;
  }

  private makeDispatcher(): Dispatcher {
    return new Dispatcher({
      log: this.log,
      clock: new Clock(),
      leaseMs: limits.leaseMs,
      budgets: () => this.budgets,
      report: fail,
    });
  }
}

/** What a test says. */
class ToldAllowances extends Allowances {
  allowance: Allowance | undefined = { remainingNanoUsd: null, nanoUsdPerMinute: null };
  prices: readonly PublishedPrices[] = [];
  /** Of which it was asked last. */
  scopes: readonly string[] = [];

  override of(scopes: ReadonlySet<string>): Allowance | undefined {
    this.scopes = [...scopes];
    return this.allowance;
  }

  override pricesOf(): readonly PublishedPrices[] {
    return this.prices;
  }
}

function fail(sentence: string): void {
  throw new Error(sentence);
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
}
