import { Reconciler } from './reconciler.js';

/** Looks that a test lets end one after another. */
function held() {
  const ends: ((error?: Error) => void)[] = [];
  let atOnce = 0;
  let most = 0;
  const reasons: string[] = [];
  const reconciler = new Reconciler(
    async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise<void>((resolve, reject) => {
        ends.push((error) => {
          if (error === undefined) resolve();
          else reject(error);
        });
      }).finally(() => (atOnce -= 1));
    },
    (reason) => reasons.push(reason),
  );
  const end = async (error?: Error): Promise<void> => {
    ends.at(-1)?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { reconciler, end, reasons, looks: () => ends.length, most: () => most };
}

test('What comes during a look is looked at once more, however much came', async () => {
  const { reconciler, end, looks, most } = held();
  reconciler.nudge();
  reconciler.nudge();
  reconciler.nudge();
  expect(looks()).toBe(1);
  await end();
  expect(looks()).toBe(2);
  await end();
  expect(looks()).toBe(2);
  reconciler.nudge();
  expect([looks(), most()]).toEqual([3, 1]);
  await end();
});

test('A failure is told once, until it went well or fails otherwise', async () => {
  const { reconciler, end, reasons } = held();
  for (const reason of ['full', 'full', 'gone', '', 'gone']) {
    reconciler.nudge();
    await end(reason === '' ? undefined : new Error(reason));
  }
  expect(reasons).toEqual(['full', 'gone', 'gone']);
});

test('Whoever stops it waits for the look under way, and no other follows', async () => {
  const { reconciler, end, looks } = held();
  reconciler.nudge();
  reconciler.nudge();
  let hasStopped = false;
  const stopped = reconciler.stop().then(() => (hasStopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasStopped).toBe(false);
  await end();
  await stopped;
  expect(looks()).toBe(1);
});
