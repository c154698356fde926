import { Injectable } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { limits } from '#kernel/limits.js';
import type { Appender } from './appender.js';
import { IntakeMetrics } from './intake.metrics.js';
import type { Stranger } from './intake.unrecognised.js';
import { strangersOf, UnrecognisedNames } from './intake.unrecognised.js';
import type { Accepted } from './otlp.answers.js';
import type { Export } from './otlp.records.js';
import type { Draft, Translation, Translator } from './translation.js';

export interface IntakeParts {
  readonly appender: Appender;
  readonly translators: readonly Translator[];
  readonly registry: Registry;
  readonly clock: () => Date;
}

const OTHER_AGENT = 'other';
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
    this.names = new UnrecognisedNames(parts.appender.redact);
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
    const { refused } = await this.parts.appender.append(drafts, [...newNames.values()]);
    for (const { reason } of refused) rejections.add(1, reason);

    // Counted only now, so that a batch that is sent again is not counted twice.
    this.names.remember(newNames);
    this.metrics.records.inc({ signal: batch.signal }, batch.records.length);
    for (const { agent, name, times } of noise) this.metrics.noise.inc({ agent, name }, times);
    for (const { agent, signal } of strangers) {
      this.metrics.unrecognised.inc({ agent: this.agentLabel(agent), signal });
    }
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
    for (const draft of translation.drafts) into.drafts.push(draft);
    for (const [name, times] of translation.noise) into.noise.push({ agent, name, times });
    for (const one of translation.unrecognised) into.strangers.push({ ...one, agent, signal });
    into.rejections.add(translation.rejected, translation.rejectedBecause);
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
