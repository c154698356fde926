import { limits } from '#kernel/limits.js';
import { keyOf, killsDecider, type KillCommand, type Kills } from './kills.decider.js';

const attempt = (attemptId = 'attempt-1') => ({
  ...({ kind: 'attempt', taskId: 'task-1', attemptId, workerId: 'worker-1' } as const),
});
const session = (given: { pid?: number; startMark?: string; host?: string } = {}) => ({
  ...({ kind: 'session', agent: 'codex', sessionId: 'session-1' } as const),
  ...{ host: 'here', pid: 4711, startMark: '99', ...given },
});
type Order = Extract<KillCommand, { type: 'order' }>;
const order = (
  killId: string,
  target: Order['kills'][number]['target'] = attempt(),
  budgetId: string | null = 'pace',
): Order => ({ type: 'order', kills: [{ killId, target }], reason: 'Too much.', budgetId });
const confirm = (killId: string) =>
  ({ type: 'confirm', killId, ended: 3, durationMs: 12 }) as const;
const fail = (killId: string) =>
  ({ type: 'fail', killId, survivors: [{ pid: 7, name: 'node' }], reason: 'It runs.' }) as const;

/** What stands after these commands, one after another. */
const after = (...commands: readonly KillCommand[]): Kills =>
  commands.reduce<Kills>(
    (state, command) =>
      killsDecider
        .decide(command, state)
        .reduce((so, event) => killsDecider.evolve(so, event), state),
    killsDecider.initial,
  );
const typesOf = (command: KillCommand, ...before: readonly KillCommand[]) =>
  killsDecider.decide(command, after(...before)).map(({ type }) => type);

describe('Ordering a kill', () => {
  test('is one event for each target', () => {
    const both = { ...order('a'), kills: [...order('a').kills, ...order('b', session()).kills] };
    expect(killsDecider.decide(both, after())).toMatchObject([
      { type: 'KillOrdered', data: { killId: 'a', target: attempt(), budgetId: 'pace' } },
      { type: 'KillOrdered', data: { killId: 'b', target: session() } },
    ]);
  });

  test('of what is being ended already is no event, whoever orders it', () => {
    expect(typesOf(order('b'), order('a'))).toEqual([]);
    expect(typesOf(order('b', attempt(), null), order('a'))).toEqual([]);
    expect(typesOf({ ...order('a'), kills: [...order('a').kills, ...order('b').kills] })).toEqual([
      'KillOrdered',
    ]);
  });

  test('of what has ended before is another kill: a process is not one that had its pid', () => {
    expect(typesOf(order('b'), order('a'), confirm('a'))).toEqual(['KillOrdered']);
    const later = session({ startMark: '100' });
    expect(typesOf(order('b', later), order('a', session()))).toEqual(['KillOrdered']);
    expect(keyOf(session())).not.toBe(keyOf(session({ host: 'there' })));
  });

  test('of what could not be ended is for an operator, so that no budget orders it for ever', () => {
    expect(typesOf(order('b'), order('a'), fail('a'))).toEqual([]);
    expect(typesOf(order('b', attempt(), null), order('a'), fail('a'))).toEqual(['KillOrdered']);
    // It has tripped anew.
    const later = { ...order('b'), reason: 'Too much again.' };
    expect(typesOf(later, order('a'), fail('a'))).toEqual(['KillOrdered']);
  });
});

describe('What becomes of it', () => {
  test('is told once', () => {
    expect(typesOf(confirm('a'), order('a'))).toEqual(['KillConfirmed']);
    expect(typesOf(confirm('a'), order('a'), confirm('a'))).toEqual([]);
    expect(typesOf(fail('a'), order('a'))).toEqual(['KillFailed']);
    expect(typesOf(fail('a'), order('a'), fail('a'))).toEqual([]);
    expect(typesOf(fail('a'), order('a'), confirm('a'))).toEqual([]);
  });

  test('may turn out well after all', () => {
    expect(typesOf(confirm('a'), order('a'), fail('a'))).toEqual(['KillConfirmed']);
    expect(after(order('a'), fail('a'), confirm('a')).get('a')?.outcome).toEqual({
      ...{ is: 'confirmed', ended: 3, durationMs: 12 },
    });
  });

  test('of a kill that nobody ordered is nothing', () => {
    expect(typesOf(confirm('x'))).toEqual([]);
    expect(typesOf(fail('x'))).toEqual([]);
  });

  test('names no more survivors than fit', () => {
    const survivors = Array.from({ length: 50 }, (_, pid) => ({ pid: pid + 1, name: 'sh' }));
    const [event] = killsDecider.decide({ ...fail('a'), survivors }, after(order('a')));
    expect(event?.data).toMatchObject({ survivors: { length: limits.survivorsToldMax } });
  });
});

test('So many kills are remembered, and every one that is open', () => {
  const many = Array.from({ length: limits.killsRememberedMax + 1 }, (_, index) => [
    order(`k${index}`, attempt(`attempt-${index}`)),
    ...(index === 0 ? [] : [confirm(`k${index}`)]),
  ]).flat();
  const kills = after(...many);
  expect(kills.size).toBe(limits.killsRememberedMax);
  expect(kills.has('k0')).toBe(true);
  expect(kills.has('k1')).toBe(false);
});
