import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { textOf } from './attributes.translate.js';
import type { Clock } from './attributes.translate.js';
import {
  ActivityReadings,
  countedBy,
  noSum,
  readableSeriesOf,
  seriesOf,
  sinceOf,
  UsageReadings,
} from './counters.translate.js';
import { CLIENT_VERSION, PREFIX, reportOf } from './gemini-record.translate.js';
import type { MetricPoint } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';

const TOKEN_USAGE = `${PREFIX}token.usage`;
const LINES_CHANGED = `${PREFIX}lines.changed`;

/** Metric points: the counters of tokens and lines. Logs tell what the others tell. */
export function translateMetrics(
  points: readonly MetricPoint[],
  clock: Clock,
  outcome: Outcome,
): void {
  const usage = new UsageReadings();
  const activity = new ActivityReadings();
  for (const point of points) {
    const name = nameOf(point);
    if (point.name === TOKEN_USAGE) addTokens(point, usage, clock, outcome);
    else if (point.name === LINES_CHANGED) addLines(point, activity, clock, outcome);
    else if (noise.has(name)) outcome.ignore(name);
    else keepUnrecognised(point, point.name, clock, outcome);
  }
  usage.draft(outcome);
  activity.draft(outcome);
}

function nameOf({ name }: MetricPoint): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

const noise = new Set([
  'agent.duration',
  'agent.recovery_attempt.count',
  'agent.recovery_attempt.duration',
  'agent.run.count',
  'agent.turns',
  'api.request.breakdown',
  'api.request.count',
  'api.request.latency',
  'chat.content_retry.count',
  'chat.content_retry_failure.count',
  'chat.invalid_chunk.count',
  'chat_compression',
  'cpu.usage',
  'exit.fail.count',
  'file.operation.count',
  // Twins of api.request.latency and token.usage; the latter as a histogram and without thoughts.
  'gen_ai.client.operation.duration',
  'gen_ai.client.token.usage',
  'memory.usage',
  'model_routing.failure.count',
  'model_routing.latency',
  'performance.baseline.comparison',
  'performance.regression',
  'performance.regression.percentage_change',
  'performance.score',
  'plan.execution.count',
  'session.count',
  'slash_command.model.call_count',
  'startup.duration',
  'token.efficiency',
  'tool.call.count',
  'tool.call.latency',
  'tool.execution.breakdown',
  'tool.queue.depth',
  'ui.flicker.count',
]);

type UsageKind = DataOf<'UsageMetered'>['readings'][number]['kind'];

/** By the type of token: of these, `input` has those in `cache`, and `output` is without `thought`. */
const usageKinds: ReadonlyMap<string, UsageKind> = new Map([
  ['input', 'prompt'],
  ['cache', 'promptCached'],
  ['output', 'output'],
  ['thought', 'thoughts'],
  // What tools that run beside the model added to the prompt; not in `input`.
  ['tool', 'input'],
]);

function addTokens(point: MetricPoint, usage: UsageReadings, clock: Clock, outcome: Outcome): void {
  const type = textOf(point.attributes['type']) ?? '';
  const kind = usageKinds.get(type);
  const counted = countedBy(point);
  if (kind === undefined) {
    keepUnrecognised(point, `${point.name}/${type}`, clock, outcome);
  } else if (counted === undefined) {
    outcome.reject(noSum(point.name));
  } else if (counted.amount === 0 && kind !== 'promptCached') {
    // That nothing was cached is news: all of the prompt is input.
    outcome.ignore('token.usage/zero');
  } else {
    const report = reportOf('metrics', point, point.timeUnixNano, clock);
    const { session, attribution, provider, model } = report;
    const { amount, temporality } = counted;
    // Points do not tell what sent the requests.
    const thread = 'main';
    const head = { ...session, ...attribution, thread, provider, model, temporality } as const;
    const series = seriesOf(point.attributes);
    usage.add(report, head, { kind, series, since: sinceOf(point), amount });
  }
}

const measures = new Map([
  ['added', 'linesAdded'],
  ['removed', 'linesRemoved'],
] as const);

function addLines(
  point: MetricPoint,
  activity: ActivityReadings,
  clock: Clock,
  outcome: Outcome,
): void {
  const { attributes } = point;
  const type = textOf(attributes['type']) ?? '';
  const measure = measures.get(type as 'added' | 'removed');
  const counted = countedBy(point);
  if (measure === undefined) {
    keepUnrecognised(point, `${point.name}/${type}`, clock, outcome);
  } else if (counted === undefined) {
    outcome.reject(noSum(point.name));
  } else if (counted.amount === 0) {
    outcome.ignore('lines.changed/zero');
  } else {
    const { amount, temporality } = counted;
    const report = reportOf('metrics', point, point.timeUnixNano, clock);
    const head = { ...report.session, ...report.attribution, temporality };
    const series = readableSeriesOf(attributes, ['function_name', 'model']);
    activity.add(report, head, { measure, series, since: sinceOf(point), amount });
  }
}

function keepUnrecognised(point: MetricPoint, name: string, clock: Clock, outcome: Outcome): void {
  const { unit, kind, temporality, value, attributes } = point;
  outcome.keepUnrecognised({
    name,
    clientVersion: CLIENT_VERSION,
    record: { unit, kind, temporality, value, attributes },
    occurredAt: clock.occurredAt(point.timeUnixNano),
  });
}
