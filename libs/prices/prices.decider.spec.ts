import { entry, from } from './price-entry.specification.js';
import { readEntries } from './price-entries.decode.js';
import {
  outOfForce,
  pricesDecider,
  type Publications,
  type PublishEntries,
} from './prices.decider.js';

let count = 0;
const publish = (entries: unknown[], given: Partial<PublishEntries> = {}): PublishEntries => ({
  priceVersion: `operator-${(count += 1)}`,
  origin: 'operator',
  source: 'the contract',
  entries,
  ...given,
});
const usd = (input: string) => ({ usdPerMillionTokens: { input, output: '15' } });

/** What was published after these commands, one after another. */
function after(...commands: readonly PublishEntries[]): Publications {
  return commands.reduce<Publications>(
    (state, command) =>
      pricesDecider
        .decide(command, state)
        .reduce((so, event) => pricesDecider.evolve(so, event), state),
    pricesDecider.initial,
  );
}
const inputs = (publications: Publications) =>
  publications.map(({ prices }) => prices.map((it) => it.nanoUsdPerMillionTokens.input));

describe('Publishing prices', () => {
  test('is one event with all that is sound', () => {
    const command = publish([entry(), null, entry({ model: 'n' })]);
    const [event, ...others] = pricesDecider.decide(command, []);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'PricesPublished',
      data: {
        priceVersion: command.priceVersion,
        origin: 'operator',
        source: 'the contract',
        prices: [{ model: 'm' }, { model: 'n' }],
      },
    });
  });

  test('of nothing sound is no event', () => {
    expect(pricesDecider.decide(publish([null]), [])).toEqual([]);
    expect(pricesDecider.decide(publish([]), [])).toEqual([]);
  });

  test('puts each publication after those before it', () => {
    const publications = after(publish([entry(usd('1'))]), publish([entry(usd('2'))]));
    expect(inputs(publications)).toEqual([[1e9], [2e9]]);
    expect(publications.map(({ order }) => order)).toEqual([1, 2]);
  });
});

describe('What counts already', () => {
  test('is not published again', () => {
    const both = [entry(), entry({ model: 'n' })];
    expect(after(publish(both), publish(both), publish([entry()]))).toHaveLength(1);
  });

  test('is published again together with what is new, so that it keeps its place before it', () => {
    const publications = after(publish([entry()]), publish([entry(), entry({ model: 'n' })]));
    expect(publications[1]?.prices).toHaveLength(2);
  });

  test('counts no longer once another price took its place', () => {
    const [first, second] = [entry(usd('1')), entry(usd('2'))];
    const publications = after(publish([first]), publish([second]), publish([first]));
    expect(inputs(publications)).toEqual([[1e9], [2e9], [1e9]]);
  });

  test('counts still where the later price is of another time, model or origin', () => {
    const first = entry({ ...usd('1'), ...from('2026-01-01', '2026-02-01') });
    const others = [
      publish([entry({ ...usd('2'), ...from('2026-02-01') })]),
      publish([entry({ ...usd('2'), model: 'n' })]),
      publish([entry(usd('2'))], { origin: 'shipped', priceVersion: 'shipped-1' }),
    ];
    expect(after(publish([first]), ...others, publish([first]))).toHaveLength(4);
  });
});

describe('Shipped prices', () => {
  const shipped = (priceVersion: string, input: string) =>
    publish([entry(usd(input))], { origin: 'shipped', priceVersion });

  test('of a newer version are published, those of an older one or of the same are not', () => {
    const publications = after(
      shipped('shipped-2026-02-01', '2'),
      shipped('shipped-2026-01-01', '1'),
      shipped('shipped-2026-02-01', '5'),
      shipped('shipped-2026-03-01', '3'),
    );
    expect(inputs(publications)).toEqual([[2e9], [3e9]]);
  });

  test('are published although the operator has the same prices', () => {
    expect(after(publish([entry()]), shipped('shipped-1', '3'))).toHaveLength(2);
  });
});

describe('A price for every prompt that is published after one for large prompts', () => {
  const large = entry({ ...usd('6'), promptTokensAbove: 200_000 });
  const before = after(publish([entry(), large]));
  const told = (...entries: unknown[]) => outOfForce(readEntries(entries).prices, before);

  test('puts that one out of force, which is told', () => {
    expect(told(entry(usd('4')))).toEqual([
      expect.stringContaining('The price of m above 200000 prompt tokens no longer counts'),
    ]);
  });

  test('does not when that one is published again with it, or it is of another model or tier', () => {
    expect(told(entry(usd('4')), large)).toEqual([]);
    expect(told(entry({ model: 'n' }), entry({ tier: 'fast' }))).toEqual([]);
    expect(told(large)).toEqual([]);
  });
});
