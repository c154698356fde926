import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { oneAtATime } from './repository-lock.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'repository-lock-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('What one repository takes one at a time', () => {
  test('never runs side by side, and all of it runs', async () => {
    let inside = 0;
    const seen: number[] = [];
    const work = async () => {
      inside += 1;
      await turn();
      seen.push(inside);
      inside -= 1;
    };
    await Promise.all([1, 2, 3, 4, 5].map(() => oneAtATime({ folder }, '/srv/app', work)));
    expect(seen).toEqual([1, 1, 1, 1, 1]);
  });

  test('goes on after one that failed', async () => {
    const failing = oneAtATime({ folder }, '/srv/app', () => Promise.reject(new Error('failed')));
    await expect(failing).rejects.toThrow('failed');
    expect(await oneAtATime({ folder }, '/srv/app', () => Promise.resolve('done'))).toBe('done');
  });

  test('does not hold up another repository', async () => {
    const answer = await oneAtATime({ folder }, '/srv/app', () =>
      oneAtATime({ folder }, '/srv/other', () => Promise.resolve('done')),
    );
    expect(answer).toBe('done');
  });
});
