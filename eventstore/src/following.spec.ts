import { jest } from '@jest/globals';
import { limits } from '#kernel/limits.js';
import { Bell } from './following.js';

describe('A bell', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('looks for changes elsewhere only while somebody waits, and once for all', async () => {
    const { signal } = new AbortController();
    let looks = 0;
    const bell = new Bell(() => {
      looks += 1;
      return looks === 5;
    });
    jest.advanceTimersByTime(limits.followPollMs);
    expect(looks).toBe(0);

    const first = [bell.wait(signal), bell.wait(signal)];
    jest.advanceTimersByTime(limits.followPollMs * 3);
    expect(looks).toBe(3);
    bell.ring();
    await Promise.all(first);
    jest.advanceTimersByTime(limits.followPollMs * 3);
    expect(looks).toBe(3);

    const second = bell.wait(signal);
    jest.advanceTimersByTime(limits.followPollMs * 9);
    await second;
    expect(looks).toBe(5);
  });

  test('lets go of who was aborted', async () => {
    const end = new AbortController();
    const bell = new Bell(() => false);
    const waiting = bell.wait(end.signal);
    end.abort();
    await waiting;
    expect(jest.getTimerCount()).toBe(0);
  });
});
