import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { eventIdOf, identifierOf } from './attributes.translate.js';
import type { Attributes, MetricPoint } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import { draftOf } from './translator.translate.js';
import type { Told } from './translator.translate.js';

/**
 * What the translators of counters have in common. A point becomes a reading that stands for itself:
 * nothing is added up here, since the points of one export may arrive in parts, mixed with others and
 * repeatedly.
 *
 * A cumulative point whose start is its time counts whole: these clients tell times in ms, in which a
 * request and the last export may fall together, and none of their counters begins at more than 0.
 */
interface Reading {
  readonly series: string;
  /** ISO-8601 UTC. */
  readonly since: string;
  readonly amount: number;
}

type Temporality = 'delta' | 'cumulative';

/** Stands for the start of a series that was not told: the same in every export, before any other. */
const UNTOLD = new Date(0).toISOString();
const LATEST_MS = Date.UTC(9999, 0, 1);

export function sinceOf({ startTimeUnixNano }: MetricPoint): string {
  return isoOf(startTimeUnixNano) ?? UNTOLD;
}

/**
 * As the client tells it, also where its clock is far off: these times tell readings apart, nobody is
 * told that something happened then.
 */
function isoOf(unixNano: bigint): string | undefined {
  const ms = Number(unixNano / 1_000_000n);
  return ms > 0 && ms < LATEST_MS ? new Date(ms).toISOString() : undefined;
}

/** A whole number from 0 up, undefined for all others. */
export function whole(value: number): number | undefined {
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Undefined for what is no sum that counts from one known time to another. */
export function countedBy(
  { kind, temporality, value }: MetricPoint,
  amountOf: (value: number) => number | undefined = whole,
): { readonly amount: number; readonly temporality: Temporality } | undefined {
  const amount = value === null ? undefined : amountOf(value);
  if (amount === undefined || kind !== 'sum' || temporality === 'unspecified') return undefined;
  return { amount, temporality };
}

/** Why a point was rejected of which the above says nothing. */
export function noSum(name: string): string {
  return `${name}: it is not a sum with a temporality and an amount from 0 up.`;
}

/** A digest of all that tells a point's series apart, but for `type`, which becomes what it counts. */
export function seriesOf(attributes: Attributes): string {
  const names = Object.keys(attributes).filter((name) => name !== 'type');
  const told = names.sort().map((name) => [name, attributes[name]]);
  return eventIdOf('series', told).replaceAll('-', '').slice(0, 16);
}

/** The same after what a reader wants to know of it: the values of some attributes. */
export function readableSeriesOf(attributes: Attributes, names: readonly string[]): string {
  const told = names.flatMap((name) => identifierOf(attributes[name]) ?? []).join(' / ');
  const digest = seriesOf(attributes);
  const room = limits.freeTextCharactersMax - digest.length - ' / '.length;
  return told === '' ? digest : `${told.slice(0, room)} / ${digest}`;
}

interface Metered extends Told {
  readonly unixNano: bigint;
}

/** Readings by export: those of one time that share all of `Head` become one event. */
class ExportedReadings<Head, Label> {
  private readonly groups = new Map<
    string,
    { report: Metered; head: Head; readings: Map<string, Label & Reading> }
  >();

  add(report: Metered, head: Head, reading: Label & Reading): void {
    const key = JSON.stringify([head, String(report.unixNano)]);
    const group = this.groups.get(key) ?? {
      report,
      head,
      readings: new Map<string, Label & Reading>(),
    };
    this.groups.set(key, group);
    const { amount, ...counter } = reading;
    const name = JSON.stringify(counter);
    // The same point twice, where somebody between the sender and here joined two exports.
    const known = group.readings.get(name);
    if (known === undefined || amount > known.amount) group.readings.set(name, reading);
  }

  /** In an order that does not depend on the one in which they came. */
  protected *exports() {
    for (const { report, head, readings } of this.groups.values()) {
      const sorted = [...readings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it);
      yield { report, head, readings: sorted };
    }
  }
}

type UsageReading = DataOf<'UsageMetered'>['readings'][number];
type ActivityReading = DataOf<'ActivityMetered'>['readings'][number];

export class UsageReadings extends ExportedReadings<
  Omit<DataOf<'UsageMetered'>, 'readings' | 'at'>,
  Pick<UsageReading, 'kind'>
> {
  draft(outcome: Outcome): void {
    for (const { report, head, readings } of this.exports()) {
      const data = { ...head, at: isoOf(report.unixNano) ?? null, readings };
      const id = eventIdOf('UsageMetered', head.agent, String(report.unixNano), data);
      outcome.drafts.push(draftOf(report, 'UsageMetered', id, data));
    }
  }
}

export class ActivityReadings extends ExportedReadings<
  Omit<DataOf<'ActivityMetered'>, 'readings'>,
  Pick<ActivityReading, 'measure'>
> {
  draft(outcome: Outcome): void {
    for (const { report, head, readings } of this.exports()) {
      const data = { ...head, readings };
      const id = eventIdOf('ActivityMetered', head.agent, String(report.unixNano), data);
      outcome.drafts.push(draftOf(report, 'ActivityMetered', id, data));
    }
  }
}
