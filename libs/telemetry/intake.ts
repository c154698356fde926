import { Injectable } from '@nestjs/common';
import type { Registry } from 'prom-client';
import type { EventLog } from '#eventstore/src/log.js';
import { isLogError, LogError } from '#eventstore/src/log.js';
import { streamOf } from '#eventstore/vocabulary/vocabulary.js';
import type { DomainEvent, EventType } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { costed, type CostOf } from './costing.js';
import { IntakeMetrics } from './intake.metrics.js';
import type { Stranger } from './intake.unrecognised.js';
import { strangersOf, UnrecognisedNames } from './intake.unrecognised.js';
import type { Accepted } from './otlp.answers.js';
import type { Export } from './otlp.records.js';
import type { Draft, Translation, Translator } from './translation.js';

/** Keeps redacted content and returns the hash under which it is found. */
export interface ContentKeeper {
  keep(text: string): Promise<string>;
}

export interface IntakeParts {
  readonly log: EventLog;
  readonly translators: readonly Translator[];
  readonly redact: (draft: Draft) => Draft;
  /** Null while content is off: it is then dropped here. */
  readonly content: ContentKeeper | null;
  /** The price book, as it is when the usage comes in. */
  readonly costOf: CostOf;
  readonly registry: Registry;
  readonly clock: () => Date;
}

const OTHER_AGENT = 'other';
const WITH_CONTENT: ReadonlySet<EventType> = new Set<EventType>([
  'PromptSubmitted',
  'AnswerReceived',
  'ToolFinished',
]);

/** What one export comes to before anything is written. */
interface Reading {
  readonly drafts: Draft[];
  readonly strangers: Stranger[];
  readonly noise: { readonly agent: string; readonly name: string; readonly times: number }[];
  readonly rejections: Rejections;
}

/** Turns decoded exports into events of the log. */
@Injectable()
export class Intake {
  readonly metrics: IntakeMetrics;
  private readonly translators: ReadonlyMap<string, Translator>;
  private readonly names: UnrecognisedNames;

  constructor(private readonly parts: IntakeParts) {
    this.metrics = new IntakeMetrics(parts.registry);
    this.translators = new Map(
      parts.translators.flatMap((one) => one.serviceNames.map((name) => [name, one])),
    );
    this.names = new UnrecognisedNames(parts.redact);
  }

  /**
   * Resolves when everything that can be stored is durable. Records that cannot are counted in the
   * answer, so that one of them never costs the sender the rest. A large batch is taken slice by
   * slice: what is made of its records needs many times their memory, and others want their turn.
   *
   * @throws {LogError} when the log or the content store cannot write now; all of it may be sent again.
   */
  async accept(batch: Export): Promise<Accepted> {
    let rejected = 0;
    let message = '';
    let namesLeft: number = limits.unrecognisedPerExportMax;
    for (let start = 0; start < batch.records.length; start += limits.recordsPerSliceMax) {
      const records = batch.records.slice(start, start + limits.recordsPerSliceMax);
      const accepted = await this.acceptSlice({ ...batch, records } as Export, namesLeft);
      rejected += accepted.rejected;
      message ||= accepted.message;
      namesLeft -= accepted.newNames;
    }
    return { rejected, message };
  }

  private async acceptSlice(
    batch: Export,
    namesMax: number,
  ): Promise<Accepted & { readonly newNames: number }> {
    const stopTimer = this.metrics.acceptSeconds.startTimer();
    const { drafts, strangers, noise, rejections } = this.read(batch);
    const newNames = this.names.eventsOf(strangers, namesMax);
    const events = (await this.finish(drafts)).flatMap((it) => costed(it, this.parts.costOf));
    const appended = await this.appendAll([...events, ...newNames.values()], rejections);

    // Counted only now, so that a batch that is sent again is not counted twice.
    this.names.remember(newNames);
    this.metrics.records.inc({ signal: batch.signal }, batch.records.length);
    for (const { agent, name, times } of noise) this.metrics.noise.inc({ agent, name }, times);
    for (const { agent, signal } of strangers) {
      this.metrics.unrecognised.inc({ agent: this.agentLabel(agent), signal });
    }
    this.metrics.appended.inc(appended.new);
    this.metrics.duplicates.inc(appended.duplicates);
    this.metrics.rejected.inc(rejections.count);
    stopTimer();
    return { rejected: rejections.count, message: rejections.message, newNames: newNames.size };
  }

  private read(batch: Export): Reading {
    const receivedAt = this.parts.clock().toISOString();
    const reading: Reading = {
      drafts: [],
      strangers: [],
      noise: [],
      rejections: new Rejections(),
    };
    for (const [service, part] of byService(batch)) {
      const translator = this.translators.get(service);
      if (translator === undefined) {
        for (const one of strangersOf(service, part, receivedAt)) reading.strangers.push(one);
      } else
        this.readTranslation(translator, translator.translate(part, receivedAt), part, reading);
    }
    return reading;
  }

  private readTranslation(
    { agent }: Translator,
    translation: Translation,
    { signal }: Export,
    into: Reading,
  ): void {
    for (const draft of translation.drafts) into.drafts.push(this.parts.redact(draft));
    for (const [name, times] of translation.noise) into.noise.push({ agent, name, times });
    for (const one of translation.unrecognised) into.strangers.push({ ...one, agent, signal });
    into.rejections.add(translation.rejected, translation.rejectedBecause);
  }

  /** Keeps what content there is and puts its hash into the event. */
  private async finish(drafts: readonly Draft[]): Promise<DomainEvent[]> {
    const { content } = this.parts;
    if (content === null) return drafts.map(({ event }) => event);
    return Promise.all(
      drafts.map(async ({ event, content: text }) => {
        if (text === undefined || !WITH_CONTENT.has(event.type)) return event;
        const contentHash = await content.keep(text).catch((cause: unknown) => {
          const message = 'The content store could not write; look at the disk of the data folder.';
          throw new LogError('LOG_UNAVAILABLE', message, { cause });
        });
        return { ...event, data: { ...event.data, contentHash } } as DomainEvent;
      }),
    );
  }

  /** All streams in one tick, so that they share one commit of the log. */
  private async appendAll(
    events: readonly DomainEvent[],
    rejections: Rejections,
  ): Promise<{ new: number; duplicates: number }> {
    const streams = new Map<string, DomainEvent[]>();
    for (const event of events) {
      const stream = streamOf(event);
      const others = streams.get(stream);
      if (others === undefined) streams.set(stream, [event]);
      else others.push(event);
    }
    const counts = { new: 0, duplicates: 0 };
    const appends = [...streams].map(([stream, some]) =>
      this.append(stream, some, counts, rejections),
    );
    // Waits for all of them, so that none is still under way when the sender is asked to repeat.
    const failed = (await Promise.allSettled(appends)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return counts;
  }

  /** The log checks each event. Halves what it refuses until the one event stands alone. */
  private async append(
    stream: string,
    events: readonly DomainEvent[],
    counts: { new: number; duplicates: number },
    rejections: Rejections,
  ): Promise<void> {
    try {
      for (const { duplicate } of await this.parts.log.append(stream, 'any', events)) {
        counts[duplicate ? 'duplicates' : 'new'] += 1;
      }
    } catch (error) {
      if (!isLogError(error, 'INVALID_EVENT')) throw error;
      if (events.length === 1) {
        rejections.add(1, error.message);
        return;
      }
      const middle = events.length >> 1;
      await this.append(stream, events.slice(0, middle), counts, rejections);
      await this.append(stream, events.slice(middle), counts, rejections);
    }
  }

  private agentLabel(agent: string): string {
    const known = this.parts.translators.some((translator) => translator.agent === agent);
    return known ? agent : OTHER_AGENT;
  }
}

/** How many records could not be stored, and the first reason for it. */
class Rejections {
  count = 0;
  message = '';

  add(count: number, because: string): void {
    this.count += count;
    if (count > 0 && this.message === '') {
      this.message = because.slice(0, limits.freeTextCharactersMax);
    }
  }
}

/** One export per value of the resource attribute `service.name`. */
function byService(batch: Export): Map<string, Export> {
  const parts = new Map<string, Export['records'][number][]>();
  for (const record of batch.records) {
    const name = record.origin.resource['service.name'];
    const service = typeof name === 'string' ? name : '';
    const others = parts.get(service);
    if (others === undefined) parts.set(service, [record]);
    else others.push(record);
  }
  const exports = new Map<string, Export>();
  for (const [service, records] of parts) {
    exports.set(service, { signal: batch.signal, records } as Export);
  }
  return exports;
}
