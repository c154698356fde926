import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { dispatchDecider } from './dispatch.decider.js';
import type { DispatchEvent, DispatchState } from './dispatch-state.js';
import { task } from './dispatch.spec-helper.js';
import { loadSnapshot, renewSnapshot, snapshotFile } from './snapshot-file.js';

let home: string;
let log: MemoryLog;
let sentences: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'snapshot-'));
  log = new MemoryLog();
  sentences = [];
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const report = (sentence: string) => {
  sentences.push(sentence);
};
const metadata = { actor: 'test', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' };
const never = new AbortController().signal;

/** So many tasks more. */
async function submit(count: number, to = log): Promise<void> {
  const events = Array.from({ length: count }, () => {
    const id = randomUUID();
    return { id, type: 'TaskSubmitted', data: { ...task({ taskId: id }), atMs: 5 }, metadata };
  });
  await to.append(DISPATCH_STREAM, 'any', events);
}

async function folded(of: MemoryLog): Promise<DispatchState> {
  const events = await of.read(DISPATCH_STREAM, 0, 100_000);
  return events.reduce<DispatchState>(
    (state, event) => dispatchDecider.evolve(state, event as unknown as DispatchEvent),
    dispatchDecider.initial,
  );
}

const renew = () => renewSnapshot(home, log, report, never);
const load = (of = log) => loadSnapshot(home, of, report);

describe('The file of a snapshot', () => {
  test('holds what the stream came to, for its owner alone', async () => {
    await submit(limits.followBatchEvents + 5);
    expect(await renew()).toBe(limits.followBatchEvents + 5);
    const snapshot = await load();
    expect(snapshot?.streamVersion).toBe(limits.followBatchEvents + 5);
    expect([...snapshot!.state.tasks]).toEqual([...(await folded(log)).tasks]);
    expect(statSync(snapshotFile(home)).mode & 0o777).toBe(0o600);
    expect(sentences).toEqual([]);
  });

  test('is renewed from the one before and what came since, which is read and nothing else', async () => {
    await submit(3);
    await renew();
    await submit(2);
    const from: number[] = [];
    const read = log.read.bind(log);
    log.read = (stream, after, limit) => {
      from.push(after);
      return read(stream, after, limit);
    };
    expect(await renew()).toBe(5);
    // The event that shows that it is of this log, and the two that are new.
    expect(from).toEqual([2, 3]);
    expect([...(await load())!.state.tasks]).toEqual([...(await folded(log)).tasks]);
  });

  test('is not there before anything happened, which is nothing to speak of', async () => {
    expect(await renew()).toBeUndefined();
    expect(await load()).toBeUndefined();
    expect(sentences).toEqual([]);
  });

  test('is written anew where one that was cut short was left', async () => {
    await submit(1);
    mkdirSync(dirname(snapshotFile(home)));
    writeFileSync(`${snapshotFile(home)}.tmp`, 'half a sna', { mode: 0o644 });
    expect(await renew()).toBe(1);
    expect((await load())?.streamVersion).toBe(1);
    expect(statSync(snapshotFile(home)).mode & 0o777).toBe(0o600);
  });

  test('is not written once it is to stop', async () => {
    await submit(1);
    const stop = AbortSignal.abort();
    expect(await renewSnapshot(home, log, report, stop)).toBeUndefined();
    expect(await load()).toBeUndefined();
  });
});

describe('A snapshot that does not fit is left aside, with one sentence, and written anew:', () => {
  const altered = (change: (text: string) => string) => () => {
    const file = snapshotFile(home);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    return Promise.resolve(log);
  };

  test.each<[string, () => Promise<MemoryLog>, string]>([
    [
      'one bit is another',
      altered((it) => it.replace('"openTasks":3', '"openTasks":4')),
      'damaged',
    ],
    ['it is cut off', altered((it) => it.slice(0, -10)), 'cut off'],
    ['it is empty', altered(() => ''), 'cut off'],
    ['it is something else', altered(() => '{"sha256":"no"}'), 'no snapshot'],
    [
      'the log ends before it',
      async () => {
        const shorter = new MemoryLog();
        await submit(2, shorter);
        return shorter;
      },
      'not of this log',
    ],
    [
      'the log is another one',
      async () => {
        const other = new MemoryLog();
        await submit(4, other);
        return other;
      },
      'not of this log',
    ],
  ])('%s', async (_, change, why) => {
    await submit(3);
    await renew();
    log = await change();
    expect(await load()).toBeUndefined();
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toContain(why);
    await renew();
    sentences = [];
    expect((await load())?.state.openTasks).toBe((await folded(log)).openTasks);
    expect(sentences).toEqual([]);
  });

  test.each([
    ['another version of the program wrote it', { program: '0.0.0' }, 'version 0.0.0 wrote it'],
    ['it has another format', { state: { format: 0 } }, 'another format'],
  ])('%s', async (_, change, why) => {
    await submit(1);
    await renew();
    const { content } = JSON.parse(readFileSync(snapshotFile(home), 'utf8')) as { content: object };
    const text = JSON.stringify({ ...content, ...change });
    const sha256 = createHash('sha256').update(text).digest('hex');
    writeFileSync(snapshotFile(home), `{"sha256":"${sha256}","content":${text}}`);
    expect(await load()).toBeUndefined();
    expect(sentences.join()).toContain(why);
  });
});
