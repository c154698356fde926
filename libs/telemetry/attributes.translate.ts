import { v5 } from 'uuid';
import { limits } from '#kernel/limits.js';
import type { Attributes, AttributeValue } from './otlp.records.js';

/**
 * What translators need to make sound values of whatever a client sent. Types are uneven between
 * events and versions (`"true"`, `"46"`, 46), and any value may be hostile: what cannot be used
 * comes back as undefined or null, nothing throws.
 */

type Value = AttributeValue | undefined;

export function isAbsent(value: Value): value is null | undefined {
  return value === undefined || value === null;
}

/** Text, or the text of a number or boolean. Undefined when absent, empty or a structure. */
export function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value.toWellFormed();
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return undefined;
}

/** Text that is short enough to be a name. A longer one is none: cut, it could be another's. */
export function identifierOf(value: Value): string | undefined {
  const text = textOf(value);
  return text !== undefined && text.length <= limits.identifierCharactersMax ? text : undefined;
}

/** What a word of free text, or a secret, is made of. */
const lastWord = /[^\s,;"'`(){}[\]<>|]*$/;

/**
 * Text cut to what an event may hold. The cut falls between words, if that leaves nothing: half a
 * secret at the end would no longer be recognised as one.
 */
export function freeTextOf(value: Value): string {
  const text = textOf(value) ?? '';
  if (text.length <= limits.freeTextCharactersMax) return text;
  return text.slice(0, limits.freeTextCharactersMax).replace(lastWord, '').trimEnd();
}

export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.length > 32) return undefined;
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** A whole number from 0 up, a fraction rounded; null when absent or nothing of the kind. */
export function countOf(value: Value): number | null {
  const rounded = Math.round(numberOf(value) ?? NaN);
  return Number.isSafeInteger(rounded) && rounded >= 0 ? rounded : null;
}

/** Absent counts as none, for versions that do not tell all kinds; undefined when it is no count. */
export function tokensOf(value: Value): number | undefined {
  const tokens = isAbsent(value) ? 0 : numberOf(value);
  return Number.isSafeInteger(tokens) && Number(tokens) >= 0 ? tokens : undefined;
}

export function booleanOf(value: Value): boolean | undefined {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  return undefined;
}

export interface Attribution {
  readonly taskId: string | undefined;
  readonly attemptId: string | undefined;
  readonly project: string | undefined;
  readonly team: string | undefined;
  readonly userId: string | undefined;
}

/** Whom the work is for: what the record says, else what its resource says. */
export function attributionOf(record: Attributes, resource: Attributes): Attribution {
  const said = (key: string) => identifierOf(record[key]) ?? identifierOf(resource[key]);
  return {
    taskId: said('task.id'),
    attemptId: said('attempt.id'),
    project: said('project.name') ?? said('project') ?? said('project.id'),
    team: said('team.id') ?? said('team'),
    userId: said('user.id'),
  };
}

const NANOS_PER_MS = 1_000_000n;
const EARLIEST_MS = Date.UTC(2020, 0, 1);
const AHEAD_MS_MAX = 24 * 60 * 60 * 1000;

/** Says when something happened, given when the server heard of it. */
export class Clock {
  private readonly latestMs: number;
  private readonly earliest = new Date(EARLIEST_MS).toISOString();
  private readonly latest: string;

  /** @param receivedAt ISO-8601 UTC. */
  constructor(private readonly receivedAt: string) {
    this.latestMs = Date.parse(receivedAt) + AHEAD_MS_MAX;
    this.latest = new Date(this.latestMs).toISOString();
  }

  /** The first of the given times that can be true (after 2019, at most a day ahead), else now. */
  occurredAt(unixNano: bigint, iso?: Value): string {
    return this.isoOf(unixNano) ?? this.sound(Date.parse(textOf(iso) ?? '')) ?? this.receivedAt;
  }

  /** Undefined when it cannot be true. */
  isoOf(unixNano: bigint): string | undefined {
    return this.sound(Number(unixNano / NANOS_PER_MS));
  }

  /** Whether something can have happened at that time (ISO-8601 UTC, which sorts as time does). */
  mayBe(iso: string): boolean {
    return iso >= this.earliest && iso <= this.latest;
  }

  private sound(ms: number): string | undefined {
    return ms >= EARLIEST_MS && ms <= this.latestMs ? new Date(ms).toISOString() : undefined;
  }
}

const NAMESPACE = Uint8Array.from([
  0x8f, 0x1c, 0x5b, 0x0e, 0x6d, 0x2a, 0x4c, 0x39, 0x9a, 0x77, 0x41, 0xd3, 0x0b, 0xe6, 0x52, 0xc8,
]);

/** The same parts give the same UUID, for ever and on every machine. */
export function eventIdOf(...parts: readonly unknown[]): string {
  return v5(Buffer.from(JSON.stringify(parts)), NAMESPACE);
}

/** The id of what telemetry tells of a model request, whichever session tells it. */
export function usageIdOf(agent: string, requestId: string): string {
  return eventIdOf('usage', agent, requestId);
}

/** All that a record says, whatever order it says it in: what identifies a record without a key. */
export function fingerprintOf(unixNano: bigint, attributes: Attributes): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([String(unixNano), sorted]);
}
