import { isFlawless, survivesRaces } from './dispatch-claims.js';

describe('Two thousand tasks, eight workers, lost answers and a server that is killed twice', () => {
  test('every task is completed once, under tokens that only grow, and no answer was untrue', async () => {
    const report = await survivesRaces({
      tasks: 2_000,
      workers: 8,
      kills: 2,
      deadlineMs: 100_000,
      progress: () => undefined,
    });
    expect(report).toMatchObject({
      kills: 2,
      submitted: 2_000,
      completedOnce: 2_000,
      completedTwice: [],
      neverCompleted: [],
      claimedTwice: [],
      wrongTokens: [],
      backwards: 0,
      otherAnswers: 0,
      acknowledgedButLost: 0,
    });
    expect(isFlawless(report)).toBe(true);
    expect(report.repeated).toBeGreaterThan(0);
    expect(report.hungUp).toBeGreaterThan(0);
  }, 120_000);
});
