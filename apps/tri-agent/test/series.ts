import type { MetricPoint } from '#libs/telemetry/otlp.records.js';

/**
 * True sequences of what agents used, told as their clients tell them: counters of a process that grow
 * from export to export (cumulative), or tell each export's part (delta), in points that arrive in
 * parts, repeatedly, in any order, or never.
 */
export type Temporality = 'delta' | 'cumulative';

/** Tokens by type as the client tells it; cost in nano-dollars. */
type Use = Readonly<Record<string, number>>;

export interface Client {
  readonly agent: 'claude-code' | 'gemini';
  readonly service: string;
  /** By type: the metric and how the amount is told. */
  readonly types: Readonly<Record<string, { metric: string; told?: (amount: number) => number }>>;
}

interface Part {
  /** How often it arrives, 0 for a part that is lost; and when, each time, among all others. */
  readonly arrivals: readonly number[];
}

interface ExportPlan {
  /** What was used since the last export, by attribute set. */
  readonly used: readonly (readonly [effort: 0 | 1, use: Use])[];
  readonly parts: readonly Part[];
  /** Which part a point is in, turn by turn. */
  readonly deal: readonly number[];
}

export type Process = readonly ExportPlan[];

/** One series' counter: what was used in each export, and which of them were ever told. */
export interface Counter {
  readonly type: string;
  readonly perExport: number[];
  readonly told: Set<number>;
}

export interface Told {
  /** Points that arrive together, in order of arrival. */
  readonly arrivals: { readonly when: number; readonly points: readonly MetricPoint[] }[];
  /** By process and attribute set. */
  readonly counters: Map<string, Counter[]>;
}

const firstStartMs = Date.UTC(2026, 10, 20, 17);
const exportEveryMs = 10_000;
const nanos = (ms: number) => BigInt(ms) * 1_000_000n;

/** What the given processes of one session tell, and what is true of it. */
export function tell(
  client: Client,
  sessionId: string,
  temporality: Temporality,
  processes: readonly Process[],
  isStartTold = true,
): Told {
  const told: Told = { arrivals: [], counters: new Map() };
  processes.forEach((plans, process) => {
    // Processes of one session may overlap, but none exports in the same millisecond as another.
    const startMs = firstStartMs + process * 7_001;
    plans.forEach((plan, index) => {
      const points = pointsOf(
        { client, sessionId, temporality, isStartTold, process, startMs },
        plan,
        index,
        told,
      );
      deliver(points, plan, index, told);
    });
  });
  return told;
}

interface Context {
  readonly client: Client;
  readonly sessionId: string;
  readonly temporality: Temporality;
  /** A counter that grows needs one, since nothing else tells its processes apart. */
  readonly isStartTold: boolean;
  readonly process: number;
  readonly startMs: number;
}

type Pointed = readonly [Counter, MetricPoint];

function pointsOf(context: Context, plan: ExportPlan, index: number, told: Told): Pointed[] {
  const { client, temporality, process, startMs } = context;
  const points: Pointed[] = [];
  for (const effort of [0, 1] as const) {
    const used = plan.used.filter(([of]) => of === effort).map(([, use]) => use);
    const key = `${process} ${effort}`;
    if (used.length === 0 && (temporality === 'delta' || !told.counters.has(key))) continue;
    const counters = told.counters.get(key) ?? countersOf(client);
    told.counters.set(key, counters);
    counters.forEach((counter, turn) => {
      counter.perExport[index] = used.reduce((sum, use) => sum + (use[counter.type] ?? 0), 0);
      const value = temporality === 'delta' ? counter.perExport[index] : total(counter.perExport);
      // Each series begins when it was first told of; those of one request may be a moment apart.
      const since =
        temporality === 'delta'
          ? startMs + index * exportEveryMs
          : startMs + 1 + effort * 11 + Math.floor(turn / 2);
      const time = startMs + (index + 1) * exportEveryMs;
      points.push([counter, pointOf(context, counter.type, effort, { value, since, time })]);
    });
  }
  return points;
}

function countersOf({ types }: Client): Counter[] {
  return Object.keys(types).map((type) => ({ type, perExport: [], told: new Set() }));
}

function total(amounts: readonly (number | undefined)[]): number {
  return amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0);
}

function pointOf(
  { client, sessionId, temporality, isStartTold }: Context,
  type: string,
  effort: number,
  { value, since, time }: { value: number; since: number; time: number },
): MetricPoint {
  const { metric, told = (amount: number) => amount } = client.types[type]!;
  return {
    origin: {
      resource: { 'service.name': client.service, 'session.id': sessionId },
      scopeName: '',
      scopeVersion: '',
    },
    name: metric,
    unit: '',
    kind: 'sum',
    temporality,
    monotonic: true,
    startTimeUnixNano: isStartTold ? nanos(since) : 0n,
    timeUnixNano: nanos(time),
    value: told(value),
    attributes: {
      'session.id': sessionId,
      model: 'a model',
      type,
      effort: ['low', 'high'][effort]!,
    },
  };
}

function deliver(points: readonly Pointed[], plan: ExportPlan, index: number, told: Told): void {
  const dealt = points.map(
    (_, turn) => (plan.deal[turn % plan.deal.length] ?? 0) % plan.parts.length,
  );
  plan.parts.forEach(({ arrivals }, part) => {
    const own = points.filter((_, turn) => dealt[turn] === part);
    for (const when of arrivals)
      told.arrivals.push({ when, points: own.map(([, point]) => point) });
    if (arrivals.length > 0) for (const [counter] of own) counter.told.add(index);
  });
}

/** What is known once all has arrived: up to the last export told, or of each that was told. */
export function known(
  { perExport }: Counter,
  told: ReadonlySet<number>,
  temporality: Temporality,
): number {
  const last = Math.max(-1, ...told);
  return total(
    perExport.filter((_, index) => (temporality === 'delta' ? told.has(index) : index <= last)),
  );
}
