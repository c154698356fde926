import { liveThroughNight } from './worker-night.js';

test('Every task ends exactly once and nothing is left running, whatever is killed meanwhile', async () => {
  const { faults, completed, parked, attempts } = await liveThroughNight(20, 3);
  expect(faults).toEqual([]);
  expect([completed, parked]).toEqual([18, 2]);
  expect(attempts).toBeGreaterThan(20);
}, 200_000);
