import { dispatchDecider } from '#libs/dispatch/dispatch.decider.js';
import { fromSnapshot, toSnapshot } from '#libs/dispatch/dispatch-snapshot.js';
import { emptyState, type DispatchState } from '#libs/dispatch/dispatch-state.js';
import { fingerprint } from './dispatch-oracle.js';
import { simulate } from './dispatch-simulation.js';

const asText = (state: DispatchState) => JSON.stringify(toSnapshot(state));
const seeds = [3, 4, 9, 12, 17];

describe('A snapshot', () => {
  test.each(seeds)('of any moment of a night is that moment again (seed %i)', (seed) => {
    const { events } = simulate(seed);
    let state: DispatchState = emptyState();
    for (const [index, event] of events.entries()) {
      state = dispatchDecider.evolve(state, event);
      if (index % 7 !== 0) continue;
      const loaded = fromSnapshot(JSON.parse(asText(state)));
      expect(loaded === undefined ? 'none' : fingerprint(loaded)).toBe(fingerprint(state));
      // Whatever follows, it follows for both: the night goes on with the one that was loaded.
      if (index % 2 === 0 && loaded !== undefined) state = loaded;
    }
    const folded = events.reduce<DispatchState>(
      (before, event) => dispatchDecider.evolve(before, event),
      emptyState(),
    );
    expect(fingerprint(state)).toBe(fingerprint(folded));
  });

  test.each(seeds)('decides as the state would have, to the last event (seed %i)', (seed) => {
    const night = simulate(seed, 5);
    expect(night.faults).toEqual([]);
    expect(night.events).toEqual(simulate(seed).events);
  });

  test('of another format, or of something else, is none', () => {
    const good = JSON.parse(asText(emptyState())) as { format: number; state: object };
    expect(fromSnapshot(good)).toBeDefined();
    const withState = (other: object) => ({ ...good, state: { ...good.state, ...other } });
    const others = [
      { ...good, format: 0 },
      { ...good, format: '1' },
      { ...good, more: true },
      withState({ tasks: {} }),
      withState({ wip: [['all', 'one']] }),
      withState({ lastOrder: -1 }),
      withState({ clockMs: undefined }),
      withState({ more: true }),
      ...[null, undefined, 'text', 5, [], {}],
    ];
    expect(others.map((it) => fromSnapshot(it))).toEqual(others.map(() => undefined));
  });
});
