import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { eventIdOf, identifierOf, textOf } from './attributes.translate.js';
import type { Clock } from './attributes.translate.js';
import { AGENT, CLIENT_VERSION, PREFIX, reportOf } from './gemini-record.translate.js';
import type { Report } from './gemini-record.translate.js';
import { tokensApart } from './gemini-tokens.translate.js';
import type { MetricPoint } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import { draftOf } from './translator.translate.js';

const TOKEN_USAGE = `${PREFIX}token.usage`;
const LINES_CHANGED = `${PREFIX}lines.changed`;

/** Metric points: the counters of tokens and lines. Logs tell what the others tell. */
export function translateMetrics(
  points: readonly MetricPoint[],
  clock: Clock,
  outcome: Outcome,
): void {
  const groups = new Map<string, Group>();
  for (const point of points) {
    const name = nameOf(point);
    if (point.name === TOKEN_USAGE) collect(point, groups, clock, outcome);
    else if (point.name === LINES_CHANGED) linesChanged(point, clock, outcome);
    else if (noise.has(name)) outcome.ignore(name);
    else keepUnrecognised(point, point.name, clock, outcome);
  }
  for (const group of groups.values()) usageMetered(group, outcome);
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

const tokenTypes = ['input', 'output', 'thought', 'cache', 'tool'] as const;
type TokenType = (typeof tokenTypes)[number];

type UsageHead = Omit<DataOf<'UsageMetered'>, 'readings'>;

/** The points of one export that share everything but the type of token. */
interface Group {
  readonly report: Report;
  readonly head: UsageHead;
  readonly tokens: Record<TokenType, number>;
  points: number;
  since: string;
}

/** Stands for the start of a series that was not told: the same in every export, before any other. */
const UNTOLD = new Date(0).toISOString();

/** Undefined for what is no sum that counts from one known time to another. */
function amountOf({ kind, temporality, value }: MetricPoint): number | undefined {
  const isAmount = value !== null && Number.isSafeInteger(value) && value >= 0;
  return isAmount && kind === 'sum' && temporality !== 'unspecified' ? value : undefined;
}

function collect(
  point: MetricPoint,
  groups: Map<string, Group>,
  clock: Clock,
  outcome: Outcome,
): void {
  const typeName = textOf(point.attributes['type']) ?? '';
  const type = tokenTypes.find((known) => known === typeName);
  const amount = amountOf(point);
  if (type === undefined) {
    keepUnrecognised(point, `${point.name}/${typeName}`, clock, outcome);
    return;
  }
  if (amount === undefined || point.temporality === 'unspecified') {
    outcome.reject(noSum(point.name));
    return;
  }
  const report = reportOf('metrics', point, point.timeUnixNano, clock);
  const { session, attribution, provider, model } = report;
  const head: UsageHead = {
    ...session,
    ...attribution,
    // Points do not tell what sent the requests.
    thread: 'main',
    provider,
    model,
    temporality: point.temporality,
  };
  const since = clock.isoOf(point.startTimeUnixNano) ?? UNTOLD;
  const key = JSON.stringify([head, String(point.timeUnixNano)]);
  const group = groups.get(key) ?? { report, head, tokens: noTokens(), points: 0, since };
  groups.set(key, group);
  // A sum that no number can hold is found where the readings are made.
  group.tokens[type] += amount;
  group.points += 1;
  if (since < group.since) group.since = since;
}

function noSum(name: string): string {
  return `${name}: it is not a sum with a temporality and an amount from 0 up.`;
}

function noTokens(): Record<TokenType, number> {
  return { input: 0, output: 0, thought: 0, cache: 0, tool: 0 };
}

function usageMetered({ report, head, tokens, points, since }: Group, outcome: Outcome): void {
  const apart = tokensApart({ ...tokens, cached: tokens.cache, thoughts: tokens.thought });
  if (apart === undefined) {
    for (let index = 0; index < points; index += 1) {
      outcome.reject(`${TOKEN_USAGE}: its amounts add up to more than a number can hold.`);
    }
    return;
  }
  const amounts = [
    ['cacheRead', apart.cacheReadTokens],
    ['input', apart.inputTokens],
    ['output', apart.outputTokens],
  ] as const;
  const readings = amounts
    .filter(([, amount]) => amount > 0)
    .map(([kind, amount]) => ({ kind, since, amount }));
  if (readings.length === 0) {
    for (let index = 0; index < points; index += 1) outcome.ignore('token.usage/zero');
    return;
  }
  const data = { ...head, readings };
  const id = eventIdOf('UsageMetered', AGENT, String(report.unixNano), data);
  outcome.drafts.push(draftOf(report, 'UsageMetered', id, data));
}

const measures = new Map([
  ['added', 'linesAdded'],
  ['removed', 'linesRemoved'],
] as const);

function linesChanged(point: MetricPoint, clock: Clock, outcome: Outcome): void {
  const { attributes, temporality } = point;
  const type = textOf(attributes['type']) ?? '';
  const measure = measures.get(type as 'added' | 'removed');
  const amount = amountOf(point);
  if (measure === undefined) {
    keepUnrecognised(point, `${point.name}/${type}`, clock, outcome);
  } else if (amount === undefined || temporality === 'unspecified') {
    outcome.reject(noSum(point.name));
  } else if (amount === 0) {
    outcome.ignore('lines.changed/zero');
  } else {
    const report = reportOf('metrics', point, point.timeUnixNano, clock);
    const series = [attributes['function_name'], attributes['model']]
      .flatMap((value) => identifierOf(value) ?? [])
      .join(' / ');
    const since = clock.isoOf(point.startTimeUnixNano) ?? UNTOLD;
    const data: DataOf<'ActivityMetered'> = {
      ...report.session,
      ...report.attribution,
      temporality,
      readings: [{ measure, series, since, amount }],
    };
    const id = eventIdOf('ActivityMetered', AGENT, String(point.timeUnixNano), data);
    outcome.drafts.push(draftOf(report, 'ActivityMetered', id, data));
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
