import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { nanoUsdFromDollars } from '#kernel/money.js';
import { eventIdOf, identifierOf, textOf } from './attributes.translate.js';
import type { Clock } from './attributes.translate.js';
import { AGENT, modelOf, reportOf, threadOf } from './claude-code-record.translate.js';
import type { Report } from './claude-code-record.translate.js';
import type { Attributes, MetricPoint } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import type { Draft } from './translation.js';
import { clientVersionOf, draftOf } from './translator.translate.js';

type UsageKind = DataOf<'UsageMetered'>['readings'][number]['kind'];
type Measure = DataOf<'ActivityMetered'>['readings'][number]['measure'];

/** How the points of one metric are read. */
interface Meter<Label> {
  /** Undefined for a kind that is not known. */
  readonly labelOf: (attributes: Attributes) => Label | undefined;
  /** Attributes that tell series of one label apart. */
  readonly seriesKeys: readonly string[];
  /** Undefined for what is no amount. */
  readonly amountOf: (value: number) => number | undefined;
}

function whole(value: number): number | undefined {
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

const byType =
  <Label>(labels: Readonly<Record<string, Label>>, key = 'type') =>
  (attributes: Attributes) => {
    const type = textOf(attributes[key]) ?? '';
    return Object.hasOwn(labels, type) ? labels[type] : undefined;
  };

const usageMeters: ReadonlyMap<string, Meter<UsageKind>> = new Map([
  [
    'claude_code.token.usage',
    {
      labelOf: byType<UsageKind>({
        input: 'input',
        output: 'output',
        cacheRead: 'cacheRead',
        cacheCreation: 'cacheCreation',
      }),
      seriesKeys: [],
      amountOf: whole,
    },
  ],
  [
    'claude_code.cost.usage',
    {
      labelOf: () => 'costNanoUsd' as const,
      seriesKeys: [],
      amountOf: nanoUsdFromDollars,
    },
  ],
]);

const activityMeters: ReadonlyMap<string, Meter<Measure>> = new Map([
  [
    'claude_code.lines_of_code.count',
    {
      labelOf: byType<Measure>({ added: 'linesAdded', removed: 'linesRemoved' }),
      seriesKeys: ['model'],
      amountOf: whole,
    },
  ],
  [
    'claude_code.commit.count',
    { labelOf: () => 'commits' as const, seriesKeys: [], amountOf: whole },
  ],
  [
    'claude_code.pull_request.count',
    { labelOf: () => 'pullRequests' as const, seriesKeys: [], amountOf: whole },
  ],
  [
    'claude_code.code_edit_tool.decision',
    {
      labelOf: byType<Measure>({ accept: 'editsAccepted', reject: 'editsRejected' }, 'decision'),
      seriesKeys: ['tool_name', 'language', 'source'],
      amountOf: whole,
    },
  ],
  [
    'claude_code.active_time.total',
    {
      labelOf: () => 'activeMs' as const,
      seriesKeys: ['type'],
      amountOf: (seconds: number) => whole(Math.round(seconds * 1000)),
    },
  ],
]);

/** Metric points: session starts, and counters, which become one event per session and export. */
export function translateMetrics(
  points: readonly MetricPoint[],
  clock: Clock,
  outcome: Outcome,
): void {
  const usage = new Map<string, Group<UsageKind, UsageHead>>();
  const activity = new Map<string, Group<Measure, ActivityHead>>();
  for (const point of points) {
    const usageMeter = usageMeters.get(point.name);
    const activityMeter = activityMeters.get(point.name);
    if (point.name === SESSION_COUNT) sessionStarted(point, clock, outcome);
    else if (usageMeter) collect(point, usageMeter, usageHeadOf, usage, clock, outcome);
    else if (activityMeter) collect(point, activityMeter, activityHeadOf, activity, clock, outcome);
    else keepUnrecognised(point, point.name, clock, outcome);
  }
  for (const group of usage.values()) outcome.drafts.push(usageMetered(group));
  for (const group of activity.values()) outcome.drafts.push(activityMetered(group));
}

const SESSION_COUNT = 'claude_code.session.count';

function sessionStarted(point: MetricPoint, clock: Clock, outcome: Outcome): void {
  const startType = textOf(point.attributes['start_type']) ?? 'fresh';
  if (point.value === null || !(point.value >= 0)) {
    outcome.reject(`${SESSION_COUNT}: its value is not a number from 0 up.`);
  } else if (point.value === 0) {
    outcome.ignore(noiseName(point, 'zero'));
  } else if (startType === 'continue') {
    // It carries a session id of its own, under which nothing but start-up noise is ever sent.
    outcome.ignore(noiseName(point, 'continue'));
  } else if (startType !== 'fresh' && startType !== 'resume') {
    keepUnrecognised(point, `${point.name}/${startType}`, clock, outcome);
  } else {
    // With cumulative counters the same start is told again by every export: `start` stays.
    const isTold = clock.isoOf(point.startTimeUnixNano) !== undefined;
    const start = isTold ? point.startTimeUnixNano : point.timeUnixNano;
    const report = reportOf('metrics', point, start, clock);
    const id = eventIdOf('started', AGENT, report.session.sessionId, startType, String(start));
    outcome.drafts.push(
      draftOf(report, 'SessionStarted', id, {
        ...report.session,
        ...report.attribution,
        startType,
        clientVersion: report.clientVersion,
      }),
    );
  }
}

/** The readings of one export that share everything but label and series. */
interface Group<Label, Head> {
  readonly report: Report;
  readonly head: Head;
  readonly readings: Map<string, Reading<Label>>;
}

interface Reading<Label> {
  readonly label: Label;
  readonly series: string;
  since: string;
  amount: number;
}

/** Stands for the start of a series that was not told: the same in every export, before any other. */
const UNTOLD = new Date(0).toISOString();

function collect<Label extends string, Head>(
  point: MetricPoint,
  meter: Meter<Label>,
  headOf: (report: Report, temporality: 'delta' | 'cumulative') => Head,
  groups: Map<string, Group<Label, Head>>,
  clock: Clock,
  outcome: Outcome,
): void {
  const { temporality, attributes } = point;
  const label = meter.labelOf(attributes);
  if (label === undefined) {
    const type = textOf(attributes['type'] ?? attributes['decision']) ?? '';
    keepUnrecognised(point, `${point.name}/${type}`, clock, outcome);
    return;
  }
  const amount = point.value === null ? undefined : meter.amountOf(point.value);
  if (amount === undefined || point.kind !== 'sum' || temporality === 'unspecified') {
    outcome.reject(`${point.name}: it is not a sum with a temporality and an amount from 0 up.`);
    return;
  }
  if (amount === 0) {
    outcome.ignore(noiseName(point, 'zero'));
    return;
  }
  const report = reportOf('metrics', point, point.timeUnixNano, clock);
  const head = headOf(report, temporality);
  const key = JSON.stringify([head, String(point.timeUnixNano)]);
  const group = groups.get(key) ?? { report, head, readings: new Map<string, Reading<Label>>() };
  const since = clock.isoOf(point.startTimeUnixNano) ?? UNTOLD;
  const reading = { label, series: seriesOf(meter, attributes), since, amount };
  if (add(group.readings, reading)) groups.set(key, group);
  else outcome.reject(`${point.name}: its amounts add up to more than a number can hold.`);
}

/**
 * Series that differ in what nobody here asks about (effort, skill, ...) become one reading: their
 * sum, since the first of them began, which grows and resets as each of them does.
 */
function add<Label>(readings: Map<string, Reading<Label>>, reading: Reading<Label>): boolean {
  const key = `${String(reading.label)} ${reading.series}`;
  const known = readings.get(key);
  if (known === undefined) {
    readings.set(key, reading);
    return true;
  }
  const sum = known.amount + reading.amount;
  if (!Number.isSafeInteger(sum)) return false;
  known.amount = sum;
  if (reading.since < known.since) known.since = reading.since;
  return true;
}

function seriesOf(meter: Meter<unknown>, attributes: Attributes): string {
  return meter.seriesKeys
    .flatMap((key) => identifierOf(attributes[key]) ?? [])
    .join(' / ')
    .slice(0, limits.freeTextCharactersMax);
}

function sorted<Label>(readings: ReadonlyMap<string, Reading<Label>>): Reading<Label>[] {
  return [...readings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reading]) => reading);
}

type UsageHead = Omit<DataOf<'UsageMetered'>, 'readings'>;
type ActivityHead = Omit<DataOf<'ActivityMetered'>, 'readings'>;

function usageHeadOf(report: Report, temporality: 'delta' | 'cumulative'): UsageHead {
  return {
    ...report.session,
    ...report.attribution,
    ...threadOf(report.attributes),
    provider: report.provider,
    model: modelOf(report.attributes),
    temporality,
  };
}

function activityHeadOf(report: Report, temporality: 'delta' | 'cumulative'): ActivityHead {
  return { ...report.session, ...report.attribution, temporality };
}

function usageMetered({ report, head, readings }: Group<UsageKind, UsageHead>): Draft {
  const data = {
    ...head,
    readings: sorted(readings).map(({ label, since, amount }) => ({ kind: label, since, amount })),
  };
  const id = eventIdOf('UsageMetered', AGENT, String(report.unixNano), data);
  return draftOf(report, 'UsageMetered', id, data);
}

function activityMetered({ report, head, readings }: Group<Measure, ActivityHead>): Draft {
  const data = {
    ...head,
    readings: sorted(readings).map(({ label, ...reading }) => ({ measure: label, ...reading })),
  };
  const id = eventIdOf('ActivityMetered', AGENT, String(report.unixNano), data);
  return draftOf(report, 'ActivityMetered', id, data);
}

function noiseName(point: MetricPoint, what: 'zero' | 'continue'): string {
  return `${point.name.slice('claude_code.'.length)}/${what}`;
}

function keepUnrecognised(point: MetricPoint, name: string, clock: Clock, outcome: Outcome): void {
  const { unit, kind, temporality, value, attributes } = point;
  outcome.keepUnrecognised({
    name,
    clientVersion: clientVersionOf(point.origin) ?? '',
    record: { unit, kind, temporality, value, attributes },
    occurredAt: clock.occurredAt(point.timeUnixNano),
  });
}
