import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { writeEventStream } from './event-stream.js';

/** Chunks that are there at once, then silence until stopped. */
function source(...ready: string[]) {
  const stopping = new AbortController();
  async function* chunks() {
    yield* ready;
    await new Promise((resolve) => {
      if (stopping.signal.aborted) resolve(undefined);
      stopping.signal.addEventListener('abort', resolve, { once: true });
    });
  }
  const stop = () => {
    stopping.abort();
  };
  return { chunks: chunks(), stop, stopped: () => stopping.signal.aborted };
}

const patient = { heartbeatMs: 60_000, stuckMs: 60_000 };

describe('An event stream', () => {
  test('writes what its source gives, then waits with it', async () => {
    const { chunks, stop } = source('id: 1\n\n', 'id: 2\n\n');
    const out = new PassThrough();
    const running = writeEventStream(chunks, out, stop, patient);
    let text = '';
    while (text !== 'id: 1\n\nid: 2\n\n') {
      text += String((out.read() as Buffer | null) ?? '');
      await new Promise(setImmediate);
    }
    stop();
    await running;
    expect(out.writableEnded).toBe(true);
  });

  test('sends a comment while nothing happens', async () => {
    const { chunks, stop } = source();
    const out = new PassThrough();
    const running = writeEventStream(chunks, out, stop, { ...patient, heartbeatMs: 1 });
    const [first] = (await once(out, 'data')) as [Buffer];
    expect(String(first)).toBe(': heartbeat\n\n');
    out.destroy();
    await running;
  });

  test('lets go of its source when the reader goes away', async () => {
    const { chunks, stop, stopped } = source();
    const out = new PassThrough();
    const running = writeEventStream(chunks, out, stop, patient);
    out.destroy();
    await running;
    expect(stopped()).toBe(true);
  });

  test('ends at once when the reader left before it began', async () => {
    const { chunks, stop } = source();
    const out = new PassThrough();
    out.destroy();
    await once(out, 'close');
    await expect(writeEventStream(chunks, out, stop, patient)).resolves.toBeUndefined();
  });

  test('waits for a slow reader and loses nothing', async () => {
    const { chunks, stop } = source('a', 'b', 'c');
    const out = new PassThrough({ highWaterMark: 1 });
    const running = writeEventStream(chunks, out, stop, patient);
    let text = '';
    for await (const chunk of out) {
      text += String(chunk);
      if (text === 'abc') stop();
    }
    await running;
    expect(text).toBe('abc');
  });

  test('drops a reader that takes nothing', async () => {
    const { chunks, stop, stopped } = source('a', 'b', 'c');
    const out = new PassThrough({ highWaterMark: 1 });
    await writeEventStream(chunks, out, stop, { ...patient, stuckMs: 1 });
    expect(out.destroyed).toBe(true);
    expect(stopped()).toBe(true);
  });
});
