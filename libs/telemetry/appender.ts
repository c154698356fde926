import { Injectable } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { Counter } from 'prom-client';
import type { Appended, EventLog } from '#eventstore/src/log.js';
import { isLogError, LogError } from '#eventstore/src/log.js';
import { streamOf } from '#eventstore/vocabulary/vocabulary.js';
import type { DomainEvent, EventType } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { costed, type CostOf } from './costing.js';
import type { Draft } from './translation.js';

/** Keeps redacted content and returns the hash under which it is found. */
export interface ContentKeeper {
  keep(text: string): Promise<string>;
}

export interface AppenderParts {
  readonly log: EventLog;
  readonly redact: (draft: Draft) => Draft;
  /** Null while content is off: it is then dropped here. */
  readonly content: ContentKeeper | null;
  /** The price book, as it is when the usage comes in. */
  readonly costOf: CostOf;
  readonly registry: Registry;
}

/** What became of drafts: what the log answered, and what it would never take. */
export interface Receipt {
  readonly appended: readonly Appended[];
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

const WITH_CONTENT: ReadonlySet<EventType> = new Set<EventType>([
  'PromptSubmitted',
  'AnswerReceived',
  'ToolFinished',
]);

/**
 * The last step of all that agents tell, by telemetry or by their own files: redacted, costed and
 * appended. One for each process, because its counters are.
 */
@Injectable()
export class Appender {
  private readonly appended;
  private readonly duplicates;
  /** Notices that the log holds for certain: each request of a model without a price brings one. */
  private readonly noticed = new Set<string>();

  constructor(private readonly parts: AppenderParts) {
    const registers = [parts.registry];
    this.appended = new Counter({
      name: 'tri_agent_events_appended_total',
      help: 'Events of telemetry and transcripts that were appended to the log.',
      registers,
    });
    this.duplicates = new Counter({
      name: 'tri_agent_duplicates_total',
      help: 'Events that the log held already, because the sender repeated itself.',
      registers,
    });
  }

  readonly redact = (draft: Draft): Draft => this.parts.redact(draft);

  /**
   * Resolves when everything that can be stored is durable. An event that breaks its schema is
   * refused alone.
   *
   * @param redacted events that went through `redact` already.
   * @throws {LogError} when the log or the content store cannot write now; all of it may be sent again.
   */
  async append(drafts: readonly Draft[], redacted: readonly DomainEvent[] = []): Promise<Receipt> {
    const finished = [...(await this.finish(drafts.map(this.redact))), ...redacted];
    const events: DomainEvent[] = [];
    const notices = new Map<string, DomainEvent>();
    for (const event of finished) {
      for (const one of costed(event, this.parts.costOf)) {
        if (one.type !== 'PriceMissing') events.push(one);
        else if (!this.noticed.has(one.id)) notices.set(one.id, one);
      }
    }
    const receipt = await this.appendAll([...events, ...notices.values()]);
    for (const id of notices.keys()) this.notice(id);
    const duplicates = receipt.appended.filter(({ duplicate }) => duplicate).length;
    // Counted only now, so that what is sent again is not counted twice.
    this.appended.inc(receipt.appended.length - duplicates);
    this.duplicates.inc(duplicates);
    return receipt;
  }

  private notice(id: string): void {
    if (this.noticed.size < limits.noticesRememberedMax) this.noticed.add(id);
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
  private async appendAll(events: readonly DomainEvent[]): Promise<Receipt> {
    const streams = new Map<string, DomainEvent[]>();
    for (const event of events) {
      const stream = streamOf(event);
      const others = streams.get(stream);
      if (others === undefined) streams.set(stream, [event]);
      else others.push(event);
    }
    const appended: Appended[] = [];
    const refused: { id: string; reason: string }[] = [];
    const appends = [...streams].map(([stream, some]) =>
      this.appendTo(stream, some, appended, refused),
    );
    // Waits for all of them, so that none is still under way when the sender is asked to repeat.
    const failed = (await Promise.allSettled(appends)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return { appended, refused };
  }

  /** The log checks each event. Halves what it refuses until the one event stands alone. */
  private async appendTo(
    stream: string,
    events: readonly DomainEvent[],
    appended: Appended[],
    refused: { id: string; reason: string }[],
  ): Promise<void> {
    try {
      for (const one of await this.parts.log.append(stream, 'any', events)) appended.push(one);
    } catch (error) {
      if (!isLogError(error, 'INVALID_EVENT')) throw error;
      const [first] = events;
      if (events.length === 1 && first !== undefined) {
        refused.push({ id: first.id, reason: error.message });
        return;
      }
      const middle = events.length >> 1;
      await this.appendTo(stream, events.slice(0, middle), appended, refused);
      await this.appendTo(stream, events.slice(middle), appended, refused);
    }
  }
}
