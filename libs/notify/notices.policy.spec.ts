import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { NoticeKind } from '#eventstore/vocabulary/notify.events.js';
import {
  eventTypes,
  type DataOf,
  type EventType,
  type RecordedDomainEvent,
} from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { recorded } from '#platform/projection.specification.js';
import { noticeOf, noticeTypes, type Notice, type Severity } from './notices.policy.js';

const at = '2026-11-21T01:13:04.000Z';
const samples = join(import.meta.dirname, '../../eventstore/samples');

function sampleOf<Type extends EventType>(type: Type): DataOf<Type> {
  const newest = type === 'UsageRecorded' ? 3 : type === 'UsageMetered' ? 2 : 1;
  return JSON.parse(readFileSync(join(samples, `${type}.v${newest}.json`), 'utf8')) as DataOf<Type>;
}

function told<Type extends EventType>(type: Type, change: Partial<DataOf<Type>> = {}): Notice {
  const event = recorded(1, type, { ...sampleOf(type), ...change }, at);
  const notice = noticeOf(event);
  if (notice === undefined) throw new Error(`${type} is no notice.`);
  return notice;
}

describe('People are told', () => {
  test('of these events, and of no other', () => {
    const events = eventTypes.map((type) => recorded(1, type, sampleOf(type), at));
    const notices = events.filter((event) => noticeOf(event) !== undefined);
    expect(notices.map(({ type }) => type).sort()).toEqual([...noticeTypes].sort());
  });

  const cases: readonly [EventType, object, NoticeKind, Severity][] = [
    ['BudgetThresholdCrossed', { step: 'warn' }, 'budget.warned', 'warning'],
    ['BudgetThresholdCrossed', { step: 'gate' }, 'budget.gated', 'warning'],
    ['BudgetThresholdCrossed', { step: 'pause' }, 'budget.paused', 'warning'],
    ['BudgetTripped', {}, 'budget.tripped', 'critical'],
    ['BudgetEased', {}, 'budget.eased', 'info'],
    ['BudgetReset', {}, 'budget.reset', 'info'],
    ['LoopDetected', {}, 'loop.detected', 'warning'],
    ['SessionWentSilent', {}, 'session.silent', 'warning'],
    ['KillFailed', {}, 'kill.failed', 'critical'],
    ['KillConfirmed', {}, 'kill.confirmed', 'info'],
    ['TaskParked', { cause: 'attempts-used-up' }, 'task.parked', 'warning'],
    ['TaskParked', { cause: 'operator' }, 'task.parked', 'info'],
  ];
  test.each(cases)('of %s %j as %s, %s', (type, change, kind, severity) => {
    expect(told(type, change)).toMatchObject({ kind, severity, occurredAt: at });
  });

  test('under the id of the event, so that a replay tells nothing that is new', () => {
    const event = recorded(7, 'BudgetTripped', sampleOf('BudgetTripped'), at);
    expect(noticeOf(event)).toEqual(noticeOf(structuredClone(event)));
    expect(noticeOf(event)?.noticeId).toBe(event.id);
  });
});

describe('In words', () => {
  test('money is exact and without digits that say nothing, an estimate is called one', () => {
    expect(told('BudgetTripped').text).toContain(
      'Spent of everything: $1.04 of $1.00 (of which $0.12 estimated) from 2026-11-21T01:12:04.250Z',
    );
    expect(told('BudgetTripped', { spent: 37_258_500, estimated: 0 }).text).toContain(
      '$0.0372585 of $1.00 from',
    );
  });

  test('a budget of tokens tells tokens, and one for ever has no end', () => {
    const limit = { unit: 'tokens', amount: 2_000_000 } as const;
    const { text, about } = told('BudgetTripped', { limit, spent: 2_000_001, windowEnd: null });
    expect(text).toContain('2,000,001 tokens of 2,000,000 tokens');
    expect(text).toContain('since 2026-11-21T01:12:04.250Z.');
    expect(about).toMatchObject({ unit: 'tokens', spent: 2_000_001, limit: 2_000_000 });
  });

  test('for programs money is a decimal of nine digits', () => {
    const { about } = told('BudgetTripped');
    expect(about).toMatchObject({ unit: 'usd', spent: '1.040000000', limit: '1.000000000' });
  });

  test('a kill that failed names what runs on', () => {
    expect(told('KillFailed').text).toContain('Still running: 4712 (node).');
    expect(told('KillFailed', { survivors: [] }).text).toContain(
      'Look whether anything of it runs.',
    );
  });

  test('a kill tells what it came to', () => {
    expect(told('KillConfirmed', { ended: 1 }).text).toMatch(/: 1 process ended within 212 ms\.$/);
    expect(told('KillConfirmed', { ended: 0 }).text).toMatch(/ had ended already\.$/);
  });
});

describe('What agents write', () => {
  const hostile = '\u001b]0;owned\u0007\u202edrowssap\nsecond line\u0000 -- $(reboot) <b>';

  test('comes out as one line without anything that a terminal takes for a command', () => {
    const { title, text, about } = told('LoopDetected', { error: hostile, name: hostile });
    const all = [title, text, ...Object.values(about)].join('');
    expect(all).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('drowssap second line');
  });

  test('never begins what is shown, and never makes it longer than its limit', () => {
    const anyText = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(anyText, fc.constantFrom(...noticeTypes), (text, type) => {
        const notice = noticeOf(withText(type, text));
        for (const shown of [notice?.title ?? '', notice?.text ?? '']) {
          expect(shown).toMatch(/^[A-Za-z]/);
          expect(Array.from(shown).length).toBeLessThanOrEqual(limits.noticeTextCharactersMax);
          expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        }
      }),
    );
  });
});

/** The sample with that text wherever somebody may write what he likes. */
function withText(type: EventType, text: string): RecordedDomainEvent {
  const free = ['reason', 'error', 'name', 'budgetId', 'taskId', 'sessionId'];
  const data = Object.entries(sampleOf(type)).map(([field, value]) => [
    field,
    free.includes(field) && typeof value === 'string' ? text : (value as unknown),
  ]);
  return recorded(1, type, Object.fromEntries(data) as DataOf<EventType>, at);
}
