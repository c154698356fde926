import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { nanoUsdFromDollars } from '#kernel/money.js';
import { eventIdOf, textOf } from './attributes.translate.js';
import type { Clock } from './attributes.translate.js';
import { AGENT, modelOf, reportOf, threadOf } from './claude-code-record.translate.js';
import {
  ActivityReadings,
  countedBy,
  noSum,
  readableSeriesOf,
  seriesOf,
  sinceOf,
  UsageReadings,
  whole,
} from './counters.translate.js';
import type { Attributes, MetricPoint } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import { clientVersionOf, draftOf } from './translator.translate.js';

type UsageKind = DataOf<'UsageMetered'>['readings'][number]['kind'];
type Measure = DataOf<'ActivityMetered'>['readings'][number]['measure'];

/** How the points of one metric are read. */
interface Meter<Label> {
  /** Undefined for a kind that is not known. */
  readonly labelOf: (attributes: Attributes) => Label | undefined;
  readonly seriesOf: (attributes: Attributes) => string;
  /** Undefined for what is no amount. */
  readonly amountOf: (value: number) => number | undefined;
}

const readableSeries =
  (...names: readonly string[]) =>
  (attributes: Attributes) =>
    readableSeriesOf(attributes, names);

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
      seriesOf,
      amountOf: whole,
    },
  ],
  [
    'claude_code.cost.usage',
    {
      labelOf: () => 'costNanoUsd' as const,
      seriesOf,
      amountOf: nanoUsdFromDollars,
    },
  ],
]);

const activityMeters: ReadonlyMap<string, Meter<Measure>> = new Map([
  [
    'claude_code.lines_of_code.count',
    {
      labelOf: byType<Measure>({ added: 'linesAdded', removed: 'linesRemoved' }),
      seriesOf: readableSeries('model'),
      amountOf: whole,
    },
  ],
  [
    'claude_code.commit.count',
    { labelOf: () => 'commits' as const, seriesOf: readableSeries(), amountOf: whole },
  ],
  [
    'claude_code.pull_request.count',
    { labelOf: () => 'pullRequests' as const, seriesOf: readableSeries(), amountOf: whole },
  ],
  [
    'claude_code.code_edit_tool.decision',
    {
      labelOf: byType<Measure>({ accept: 'editsAccepted', reject: 'editsRejected' }, 'decision'),
      seriesOf: readableSeries('tool_name', 'language', 'source'),
      amountOf: whole,
    },
  ],
  [
    'claude_code.active_time.total',
    {
      labelOf: () => 'activeMs' as const,
      seriesOf: readableSeries('type'),
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
  const usage = new UsageReadings();
  const activity = new ActivityReadings();
  for (const point of points) {
    const usageMeter = usageMeters.get(point.name);
    const activityMeter = activityMeters.get(point.name);
    if (point.name === SESSION_COUNT) sessionStarted(point, clock, outcome);
    else if (usageMeter) addUsage(point, usageMeter, usage, clock, outcome);
    else if (activityMeter) addActivity(point, activityMeter, activity, clock, outcome);
    else keepUnrecognised(point, point.name, clock, outcome);
  }
  usage.draft(outcome);
  activity.draft(outcome);
}

function addUsage(
  point: MetricPoint,
  meter: Meter<UsageKind>,
  usage: UsageReadings,
  clock: Clock,
  outcome: Outcome,
): void {
  const counted = readingOf(point, meter, clock, outcome);
  if (counted === undefined) return;
  const { label: kind, temporality, reading } = counted;
  const report = reportOf('metrics', point, point.timeUnixNano, clock);
  const { session, attribution, provider, attributes } = report;
  const head = { ...session, ...attribution, ...threadOf(attributes), provider };
  usage.add(report, { ...head, model: modelOf(attributes), temporality }, { kind, ...reading });
}

function addActivity(
  point: MetricPoint,
  meter: Meter<Measure>,
  activity: ActivityReadings,
  clock: Clock,
  outcome: Outcome,
): void {
  const counted = readingOf(point, meter, clock, outcome);
  if (counted === undefined) return;
  const { label: measure, temporality, reading } = counted;
  const report = reportOf('metrics', point, point.timeUnixNano, clock);
  const head = { ...report.session, ...report.attribution, temporality };
  activity.add(report, head, { measure, ...reading });
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

/** What a point adds to its export, or undefined where it says nothing that can be counted. */
function readingOf<Label extends string>(
  point: MetricPoint,
  meter: Meter<Label>,
  clock: Clock,
  outcome: Outcome,
) {
  const { attributes } = point;
  const label = meter.labelOf(attributes);
  const counted = countedBy(point, meter.amountOf);
  if (label === undefined) {
    const type = textOf(attributes['type'] ?? attributes['decision']) ?? '';
    keepUnrecognised(point, `${point.name}/${type}`, clock, outcome);
  } else if (counted === undefined) {
    outcome.reject(noSum(point.name));
  } else if (counted.amount === 0) {
    outcome.ignore(noiseName(point, 'zero'));
  } else {
    const { amount, temporality } = counted;
    const reading = { series: meter.seriesOf(attributes), since: sinceOf(point), amount };
    return { label, temporality, reading };
  }
  return undefined;
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
