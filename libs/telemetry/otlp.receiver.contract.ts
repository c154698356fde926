import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { v5 } from 'uuid';
import type { NewEvent, RecordedEvent } from '#kernel/event.js';
import type { Appended, ExpectedVersion } from '#eventstore/src/log.js';
import { EventLog, LogError } from '#eventstore/src/log.js';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import { Appender, type ContentKeeper } from './appender.js';
import { Intake } from './intake.js';
import { Admission } from './otlp.admission.js';
import type { OtlpHttpOptions, OtlpParts } from './otlp.module.js';
import { createOtlpApp } from './otlp.module.js';
import type { AttributeValue, Export } from './otlp.records.js';
import type { Draft, Translation, Translator } from './translation.js';

/** What the tests of the receiver share: a log that remembers, a small translator, a real server. */

const NAMESPACE = '2f5b4f8e-3b0e-4d9d-8a49-5a8a6a2f4a11';

/** Keeps events in memory, checks them as a log does, and can be told to fail. */
export class RecordingLog extends EventLog {
  readonly events: (NewEvent & { stream: string })[] = [];
  readonly ticks: number[] = [];
  unavailable = false;
  /** Ids that this log finds invalid for a reason of its own. */
  readonly refused = new Set<string>();
  /** Appends wait for this. */
  gate: Promise<void> = Promise.resolve();
  private tick = 0;
  private tickScheduled = false;

  async append(
    stream: string,
    _expected: ExpectedVersion,
    events: readonly NewEvent[],
  ): Promise<Appended[]> {
    this.ticks.push(this.currentTick());
    await this.gate;
    if (this.unavailable) throw new LogError('LOG_UNAVAILABLE', 'The disk is full.');
    const refused = events.find(
      (event) => this.refused.has(event.id) || faultOf(event) !== undefined,
    );
    if (refused) throw new LogError('INVALID_EVENT', `The event ${refused.id} is invalid.`);
    return events.map((event) => {
      const duplicate = this.events.some(({ id }) => id === event.id);
      if (!duplicate) this.events.push({ ...event, stream });
      return { id: event.id, version: 1, position: 1n, duplicate };
    });
  }

  read(stream: string, afterVersion: number, limit: number): Promise<RecordedEvent[]> {
    const events = this.events
      .filter((event) => event.stream === stream)
      .map((event, index) => ({ ...event, version: index + 1, position: 1n, schemaVersion: 1 }))
      .slice(afterVersion, afterVersion + limit);
    return Promise.resolve(events as unknown as RecordedEvent[]);
  }

  async *follow(): AsyncIterable<RecordedEvent[]> {
    // Nobody follows this log.
  }

  head(): Promise<bigint> {
    return Promise.resolve(BigInt(this.events.length));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private currentTick(): number {
    if (!this.tickScheduled) {
      this.tickScheduled = true;
      setImmediate(() => {
        this.tickScheduled = false;
        this.tick += 1;
      });
    }
    return this.tick;
  }
}

/**
 * Knows four names: `prompt` becomes an event, `chatter` is noise, `wrong` is rejected, `invalid`
 * becomes an event that breaks its schema, `bug` throws.
 */
class SmallTranslator implements Translator {
  constructor(
    readonly agent: 'claude-code' | 'codex' = 'claude-code',
    readonly serviceNames: readonly string[] = [agent],
  ) {}

  translate(batch: Export, receivedAt: string): Translation {
    const drafts: Draft[] = [];
    const noise = new Map<string, number>();
    const unrecognised: Translation['unrecognised'][number][] = [];
    let rejected = 0;
    for (const record of batch.records) {
      const name = 'eventName' in record ? record.eventName : record.name;
      if (name === 'chatter') noise.set(name, (noise.get(name) ?? 0) + 1);
      else if (name === 'wrong') rejected += 1;
      else if (name === 'bug') throw new TypeError('A translator slipped.');
      else if (name === 'prompt' || name === 'invalid') {
        drafts.push(this.draft(record.attributes, name === 'invalid', receivedAt));
      } else {
        const occurredAt = receivedAt;
        unrecognised.push({ name, clientVersion: '1.0.0', record, occurredAt });
      }
    }
    const rejectedBecause = rejected > 0 ? 'A record named "wrong" is wrong.' : '';
    return { drafts, noise, unrecognised, rejected, rejectedBecause };
  }

  private draft(
    attributes: Export['records'][number]['attributes'],
    invalid: boolean,
    occurredAt: string,
  ): Draft {
    const sessionId = textOf(attributes['session.id'], 's1');
    const promptId = textOf(attributes['prompt.id'], 'p1');
    return {
      event: {
        id: v5(JSON.stringify([this.agent, sessionId, promptId]), NAMESPACE),
        type: 'PromptSubmitted',
        data: {
          sessionId,
          agent: this.agent,
          promptId,
          promptCharacters: invalid ? -1 : Number(attributes['length'] ?? 0),
        },
        metadata: { actor: `agent:${this.agent}`, source: 'test', occurredAt },
      },
      content: textOf(attributes['text'], 'a prompt'),
    };
  }
}

function textOf(value: AttributeValue | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

const smallTranslators = [new SmallTranslator(), new SmallTranslator('codex', ['codex_exec'])];

export function plainIntake(
  log: EventLog,
  registry: Registry,
  content: ContentKeeper | null = null,
  translators: readonly Translator[] = smallTranslators,
): Intake {
  return new Intake({
    appender: new Appender({
      log,
      redact: (draft) =>
        JSON.parse(JSON.stringify(draft).replaceAll(/sk-\w+/g, '[redacted]')) as Draft,
      content,
      costOf: () => undefined,
      registry,
    }),
    translators,
    registry,
    clock: () => new Date('2026-01-02T03:04:05.678Z'),
  });
}

/** A receiver on a free port of loopback, with everything a test may want to look at. */
export interface TestReceiver extends OtlpParts {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  readonly log: RecordingLog;
  readonly registry: Registry;
  readonly bugs: unknown[];
  counter(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  close(): Promise<void>;
}

const letEveryoneIn: OtlpHttpOptions['guard'] = (_request, _reply, done) => {
  done();
};

export async function startReceiver(
  options: {
    readonly budgetBytes?: number;
    readonly guard?: OtlpHttpOptions['guard'];
    readonly translators?: readonly Translator[];
  } = {},
): Promise<TestReceiver> {
  const registry = new Registry();
  const log = new RecordingLog();
  const intake = plainIntake(log, registry, null, options.translators);
  const admission = new Admission(registry, options.budgetBytes);
  const bugs: unknown[] = [];
  const { guard = letEveryoneIn } = options;
  const parts: OtlpHttpOptions = { intake, admission, guard, onBug: (error) => bugs.push(error) };
  const app = await createOtlpApp(parts);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    ...parts,
    port,
    server: app.getHttpServer(),
    url: `http://127.0.0.1:${port}`,
    log,
    registry,
    bugs,
    counter: (name, labels = {}) => counterOf(registry, name, labels),
    close: async () => {
      app.getHttpServer().closeAllConnections();
      await app.close();
    },
  };
}

const UNTIL_MS = 10_000;

/** Waits for a condition, and fails where it does not come to hold. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + UNTIL_MS;
  while (!condition()) {
    if (performance.now() > deadline)
      throw new Error(`Not within ${UNTIL_MS} ms: ${String(condition)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function counterOf(
  registry: Registry,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  const metric = (await registry.getMetricsAsJSON()).find((one) => one.name === name);
  const values = (metric?.values ?? []) as { value: number; labels: Record<string, unknown> }[];
  return values
    .filter((one) =>
      Object.entries(labels).every(([label, value]) => String(one.labels[label]) === value),
    )
    .reduce((sum, { value }) => sum + value, 0);
}
