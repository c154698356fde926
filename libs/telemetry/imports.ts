import { Injectable } from '@nestjs/common';
import { NIL } from 'uuid';
import { EventLog } from '#eventstore/src/log.js';
import { statedKeyOf, type StatedRequest } from '#eventstore/vocabulary/usage.events.js';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { streamOf, type DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Clock as Now } from '#platform/clock.js';
import { Appender } from './appender.js';
import { Clock } from './attributes.translate.js';
import {
  fact as factSchema,
  type Fact,
  type ImportAnswer,
  type UsageFact,
} from './imports.shapes.js';
import { draftOfFact, faultOfFact, statedRequestOf, statementOf } from './imports.translate.js';

interface Numbered<Of extends Fact = Fact> {
  readonly index: number;
  readonly fact: Of;
}

/** An event, redacted, and the facts that it is made of. */
interface Prepared {
  readonly event: DomainEvent;
  readonly indexes: readonly number[];
}

type Statement = DomainEvent & { readonly type: 'UsageStated' };

/** Takes in what agents have left on disk, as the command line reads it. */
@Injectable()
export class Imports {
  /** By stream, the one that was used last at the end: what files have stated of a session so far. */
  private readonly known = new Map<string, { version: number; readonly keys: Set<string> }>();

  constructor(
    private readonly appender: Appender,
    private readonly log: EventLog,
    private readonly clock: Now,
  ) {}

  /**
   * Each fact by itself: one that is no fact costs the others nothing, and one that the log holds is
   * not said again, with whichever others it comes.
   *
   * @throws {LogError} when the log cannot write now; all of it may be sent again.
   */
  async accept(facts: readonly unknown[]): Promise<ImportAnswer> {
    const rejected: { index: number; reason: string }[] = [];
    const sound = this.soundOf(facts, rejected);
    const others = sound.flatMap(({ index, fact }): Prepared[] =>
      fact.kind === 'usage'
        ? []
        : [{ event: this.appender.redact(draftOfFact(fact)).event, indexes: [index] }],
    );
    const statements = await this.statementsOf(sound.filter(isUsage));
    const prepared = [...others, ...statements];
    const events = prepared.map(({ event }) => event);
    const { appended, refused } = await this.appender.append([], events);
    const indexesOf = new Map(prepared.map(({ event, indexes }) => [event.id, indexes]));
    for (const { id, reason } of refused) {
      for (const index of indexesOf.get(id) ?? []) rejected.push({ index, reason });
    }
    const news = appended
      .filter(({ duplicate }) => !duplicate)
      .reduce((sum, { id }) => sum + (indexesOf.get(id)?.length ?? 0), 0);
    return { appended: news, duplicates: facts.length - rejected.length - news, rejected };
  }

  private soundOf(
    facts: readonly unknown[],
    rejected: { index: number; reason: string }[],
  ): Numbered[] {
    const clock = new Clock(new Date(this.clock.now()).toISOString());
    return facts.flatMap((one, index) => {
      const parsed = factSchema.safeParse(one);
      const issue = parsed.error?.issues[0];
      const fault =
        parsed.data === undefined
          ? `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`
          : faultOfFact(parsed.data, clock);
      if (fault !== undefined) rejected.push({ index, reason: fault });
      return parsed.data === undefined || fault !== undefined ? [] : [{ index, fact: parsed.data }];
    });
  }

  /** What of these is new, by session, in parts that an event can hold. */
  private async statementsOf(facts: readonly Numbered<UsageFact>[]): Promise<Prepared[]> {
    const sessions = Map.groupBy(facts, ({ fact: { agent, sessionId } }) =>
      JSON.stringify([agent, sessionId]),
    );
    const prepared: Prepared[] = [];
    for (const ofSession of sessions.values()) prepared.push(...(await this.newOf(ofSession)));
    return prepared;
  }

  private async newOf(facts: readonly Numbered<UsageFact>[]): Promise<Prepared[]> {
    const [first] = facts;
    if (first === undefined) return [];
    const { agent, sessionId, clientVersion } = first.fact;
    const requests = facts.map(({ fact }) => statedRequestOf(fact));
    // Redacted first: what the log holds is redacted, too. The id comes of what is then left to say.
    const { event } = this.appender.redact(
      statementOf({ agent, sessionId }, requests, clientVersion, NIL),
    ) as { event: Statement };
    const known = await this.knownOf(streamOf(event));
    const fresh = event.data.requests.flatMap((request, at) => {
      const key = statedKeyOf(agent, request);
      if (known.has(key)) return [];
      known.add(key);
      return [{ request, index: facts[at]?.index ?? -1 }];
    });
    return partsOf(fresh).map((part) => ({
      event: statementOf(
        { agent, sessionId: event.data.sessionId },
        part.map(({ request }) => request),
        clientVersion,
      ).event,
      indexes: part.map(({ index }) => index),
    }));
  }

  /** A copy: only what the log holds is known, and this may fail to be written. */
  private async knownOf(stream: string): Promise<Set<string>> {
    const known = this.known.get(stream) ?? { version: 0, keys: new Set<string>() };
    this.known.delete(stream);
    for (;;) {
      const events = await this.log.read(stream, known.version, limits.followBatchEvents);
      for (const event of events) {
        known.version = event.version;
        if (event.type !== 'UsageStated') continue;
        const { agent, requests } = event.data as { agent: AgentName; requests: StatedRequest[] };
        for (const request of requests) known.keys.add(statedKeyOf(agent, request));
      }
      if (events.length < limits.followBatchEvents) break;
    }
    this.known.set(stream, known);
    const [oldest] = this.known.keys();
    if (this.known.size > limits.importSessionsRememberedMax && oldest !== undefined) {
      this.known.delete(oldest);
    }
    return new Set(known.keys);
  }
}

interface Fresh {
  readonly request: StatedRequest;
  readonly index: number;
}

function partsOf(fresh: readonly Fresh[]): Fresh[][] {
  const parts: Fresh[][] = [];
  let bytes = Infinity;
  for (const one of fresh) {
    const size = Buffer.byteLength(JSON.stringify(one.request));
    if (
      bytes + size > limits.statementBytesMax ||
      parts.at(-1)?.length === limits.requestsPerStatementMax
    ) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(one);
    bytes += size;
  }
  return parts;
}

function isUsage(numbered: Numbered): numbered is Numbered<UsageFact> {
  return numbered.fact.kind === 'usage';
}
