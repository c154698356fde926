import type { NoticeKind } from '#eventstore/vocabulary/notify.events.js';
import type { DataOf, EventType, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { formatUsd } from '#kernel/money.js';
import { clean, clip } from '#platform/harmless-text.js';

/** Which events somebody is to be told of, and in which words. */

/** `info`: good to know; `warning`: look at it today; `critical`: look at it now. */
export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

export interface Notice {
  /** The id of its event: whoever tells it again, tells the same. */
  readonly noticeId: string;
  readonly kind: NoticeKind;
  readonly severity: Severity;
  /** One line each, without anything that a terminal or a screen would take for a command. */
  readonly title: string;
  readonly text: string;
  /** ISO-8601 UTC. */
  readonly occurredAt: string;
  /** What it is about, for programs. Money is a decimal string of dollars. */
  readonly about: Readonly<Record<string, string | number | null>>;
}

type Words = Omit<Notice, 'noticeId' | 'occurredAt'>;

export const noticeTypes: readonly EventType[] = [
  'BudgetThresholdCrossed',
  'BudgetTripped',
  'BudgetEased',
  'BudgetReset',
  'LoopDetected',
  'SessionWentSilent',
  'KillFailed',
  'KillConfirmed',
  'TaskParked',
];

/** The notice that an event is; undefined when nobody need be told of it. */
export function noticeOf(event: RecordedDomainEvent): Notice | undefined {
  const words = wordsOf(event);
  if (words === undefined) return undefined;
  const about = Object.entries(words.about).map(([name, value]) => [name, harmless(value)]);
  return {
    ...words,
    noticeId: event.id,
    occurredAt: event.metadata.occurredAt,
    title: line(words.title),
    text: line(words.text),
    about: Object.fromEntries(about) as Notice['about'],
  };
}

function line(text: string): string {
  return clip(clean(text), limits.noticeTextCharactersMax);
}

function harmless(value: string | number | null): string | number | null {
  return typeof value === 'string' ? line(value) : value;
}

function wordsOf(event: RecordedDomainEvent): Words | undefined {
  switch (event.type) {
    case 'BudgetThresholdCrossed':
      return ofThreshold(event.data);
    case 'BudgetTripped':
      return ofTrip(event.data);
    case 'BudgetEased':
    case 'BudgetReset':
      return ofRelief(event.type, event.data);
    case 'LoopDetected':
      return ofLoop(event.data);
    case 'SessionWentSilent':
      return ofSilence(event.data);
    case 'KillFailed':
      return ofFailedKill(event.data);
    case 'KillConfirmed':
      return ofKill(event.data);
    case 'TaskParked':
      return ofParkedTask(event.data);
    default:
      return undefined;
  }
}

type Crossing = DataOf<'BudgetThresholdCrossed'>;

const steps: Readonly<
  Record<Crossing['step'], { kind: NoticeKind; title: string; outlook: string }>
> = {
  warn: { kind: 'budget.warned', title: 'is being used up', outlook: '' },
  gate: {
    kind: 'budget.gated',
    title: 'lets nothing new begin',
    outlook: ' What runs goes on; nothing new of it begins.',
  },
  pause: {
    kind: 'budget.paused',
    title: 'pauses work',
    outlook: ' What runs of it is stopped so that it can go on later.',
  },
};

function ofThreshold(data: Crossing): Words {
  const { kind, title, outlook } = steps[data.step];
  return {
    kind,
    severity: 'warning',
    title: `Budget ${named(data.budgetId)} ${title}: ${data.percent} %`,
    text: `${spentOf(data)}${outlook}`,
    about: { ...readingOf(data), step: data.step },
  };
}

function ofTrip(data: DataOf<'BudgetTripped'>): Words {
  return {
    kind: 'budget.tripped',
    severity: 'critical',
    title: `Budget ${named(data.budgetId)} has tripped: ${data.percent} %`,
    text:
      `${spentOf(data)} All of it is being ended, and nothing of it begins until an operator ` +
      `resets the budget.`,
    about: readingOf(data),
  };
}

function ofRelief(
  type: 'BudgetEased' | 'BudgetReset',
  { budgetId, scope, reason }: DataOf<'BudgetEased'>,
): Words {
  const isReset = type === 'BudgetReset';
  return {
    kind: isReset ? 'budget.reset' : 'budget.eased',
    severity: 'info',
    title: `Budget ${named(budgetId)} ${isReset ? 'was reset' : 'holds nothing back any more'}`,
    text: `Work of ${scopeInWords(scope)} may go on. Reason: ${reason || 'none was given'}`,
    about: { budgetId, scope, reason },
  };
}

function ofLoop(data: DataOf<'LoopDetected'>): Words {
  const { agent, what, name, failures, since, error } = data;
  return {
    kind: 'loop.detected',
    severity: 'warning',
    title: `A session of ${agent} fails at the same ${what} again and again`,
    text:
      `${sessionInWords(data)}: ${failures} failures of ${named(name)} since ${since}. ` +
      `The last one: ${error || 'it said nothing'}`,
    about: { ...sessionOf(data), what, name, failures, since, error },
  };
}

function ofSilence(data: DataOf<'SessionWentSilent'>): Words {
  const perMinute = usd(data.estimatedNanoUsdPerMinute);
  return {
    kind: 'session.silent',
    severity: 'warning',
    title: `A session of ${data.agent} has gone silent with a request open`,
    text:
      `${sessionInWords(data)} was last heard of at ${data.since}. Until it is heard again it ` +
      `counts as spending $${perMinute} a minute, which is an estimate.`,
    about: {
      ...sessionOf(data),
      since: data.since,
      silentMs: data.silentMs,
      estimatedUsdPerMinute: formatUsd(BigInt(data.estimatedNanoUsdPerMinute)),
    },
  };
}

type Target = DataOf<'KillFailed'>['target'];

function ofFailedKill({ killId, target, survivors, reason }: DataOf<'KillFailed'>): Words {
  const left = survivors.map(({ pid, name }) => `${pid} (${clip(clean(name), 40)})`).join(', ');
  return {
    kind: 'kill.failed',
    severity: 'critical',
    title: 'An agent could not be ended',
    text:
      `${targetInWords(target)}: ${reason || 'nobody could say why'} ` +
      (left === '' ? 'Look whether anything of it runs.' : `Still running: ${left}.`),
    about: { killId, ...targetOf(target), survivors: survivors.length, reason },
  };
}

function ofKill({ killId, target, ended, durationMs }: DataOf<'KillConfirmed'>): Words {
  const took = durationMs === null ? '' : ` within ${durationMs} ms`;
  return {
    kind: 'kill.confirmed',
    severity: 'info',
    title: 'An agent was ended, and nothing of it is left',
    text:
      ended === 0
        ? `${targetInWords(target)} had ended already.`
        : `${targetInWords(target)}: ${ended} ${ended === 1 ? 'process' : 'processes'} ended${took}.`,
    about: { killId, ...targetOf(target), ended, durationMs },
  };
}

function ofParkedTask({ taskId, cause, reason }: DataOf<'TaskParked'>): Words {
  return {
    kind: 'task.parked',
    // Who parked it knows.
    severity: cause === 'operator' ? 'info' : 'warning',
    title: `Task ${named(taskId)} is parked`,
    text: `It waits for a person (tri-agent-ctl dead-letter). ${reason || 'No reason was given.'}`,
    about: { taskId, cause, reason },
  };
}

type Reading = DataOf<'BudgetTripped'>;

/** `Spent of team core: $1.04 of $1.00 (of which $0.12 estimated) from ... to ....` */
function spentOf({ scope, spent, estimated, limit, windowStart, windowEnd }: Reading): string {
  const amount = (units: number) =>
    limit.unit === 'nanoUsd' ? `$${usd(units)}` : `${units.toLocaleString('en')} tokens`;
  const guess = estimated === 0 ? '' : ` (of which ${amount(estimated)} estimated)`;
  const span = windowEnd === null ? `since ${windowStart}` : `from ${windowStart} to ${windowEnd}`;
  return `Spent of ${scopeInWords(scope)}: ${amount(spent)} of ${amount(limit.amount)}${guess} ${span}.`;
}

function readingOf(data: Reading): Notice['about'] {
  const { budgetId, scope, percent, spent, estimated, limit, windowStart, windowEnd } = data;
  const isMoney = limit.unit === 'nanoUsd';
  const amount = (units: number) => (isMoney ? formatUsd(BigInt(units)) : units);
  return {
    budgetId,
    scope,
    percent,
    unit: isMoney ? 'usd' : 'tokens',
    spent: amount(spent),
    estimated: amount(estimated),
    limit: amount(limit.amount),
    windowStart,
    windowEnd,
  };
}

/** Exact, without zeros that say nothing: `1.04`. */
function usd(nanoUsd: number): string {
  return formatUsd(BigInt(nanoUsd)).replace(/(\.\d\d\d*?)0+$/, '$1');
}

function scopeInWords(scope: string): string {
  return scope === 'all' ? 'everything' : named(scope.replace(':', ' '));
}

/** Cut, so that a long name leaves room for the rest of the sentence. */
function named(name: string): string {
  return clip(clean(name), 80);
}

type Session = Pick<DataOf<'LoopDetected'>, 'agent' | 'sessionId' | 'taskId'>;

function sessionInWords({ sessionId, taskId }: Session): string {
  return `Session ${named(sessionId)}${taskId === null ? '' : ` of task ${named(taskId)}`}`;
}

function sessionOf({ agent, sessionId, taskId }: Session): Notice['about'] {
  return { agent, sessionId, taskId };
}

function targetInWords(target: Target): string {
  return target.kind === 'attempt'
    ? `The attempt ${named(target.attemptId)} of task ${named(target.taskId)} ` +
        `on worker ${named(target.workerId)}`
    : `The ${target.agent} session ${named(target.sessionId)} (process ${target.pid} ` +
        `on ${named(target.host)})`;
}

function targetOf(target: Target): Notice['about'] {
  if (target.kind === 'session') {
    const { kind, agent, sessionId, host, pid } = target;
    return { target: kind, agent, sessionId, host, pid };
  }
  const { kind, taskId, attemptId, workerId } = target;
  return { target: kind, taskId, attemptId, workerId };
}
