import { limits } from '#kernel/limits.js';
import { codex } from './codex.translate.js';
import { gemini } from './gemini.translate.js';
import { call, JSON_TYPE, PROTOBUF } from './otlp.client.contract.js';
import { asJson } from './otlp.oracle.contract.js';
import { startReceiver } from './otlp.receiver.contract.js';
import type { TestReceiver } from './otlp.receiver.contract.js';
import type { Signal } from './otlp.records.js';
import { loadRecording } from './recordings.js';
import { renamer, rewrite } from './recordings.rewrite.js';
import { decode } from './recordings.spec-helper.js';

/**
 * Codex sends bodies of a megabyte after a single turn, and many times that after a long one. Here
 * recorded ones are joined: exports in protobuf, one after the other, are one export of all of it.
 */

const mebibyte = 1024 * 1024;
let receiver: TestReceiver;
beforeEach(async () => {
  receiver = await startReceiver({ translators: [codex, gemini] });
});
afterEach(() => receiver.close());

function recorded(agent: string, group: string, signal: Signal): Buffer[] {
  return loadRecording(group, agent)
    .bodies.filter((body) => body.signal === signal)
    .map(({ bytes }) => bytes);
}

/** As many copies as make up the size, each of other sessions. */
function copiesOf(bodies: readonly Buffer[], signal: Signal, bytes: number): Buffer[] {
  const size = bodies.reduce((sum, { length }) => sum + length, 0);
  return Array.from({ length: Math.ceil(bytes / size) }, (_, copy) => {
    const rewriting = { shiftNanos: 0n, renameId: renamer(copy) };
    return bodies.map((body) => rewrite(body, signal, rewriting));
  }).flat();
}

function eventsOf(signal: Signal, bodies: readonly Buffer[]) {
  return bodies.flatMap((body) =>
    [codex, gemini].flatMap(
      (translator) => translator.translate(decode(signal, body), '2026-11-20T18:00:00.000Z').drafts,
    ),
  );
}

/** But for the one notice that the model has no price. */
function idsOf(events: readonly { readonly id: string; readonly type: string }[]): string[] {
  return events
    .filter(({ type }) => type !== 'PriceMissing')
    .map(({ id }) => id)
    .sort();
}

async function send(signal: Signal, body: Buffer, type: string) {
  const path = `/v1/${signal}`;
  return call(receiver.url, { path, headers: { 'content-type': type }, body });
}

async function records(signal: Signal): Promise<number> {
  return receiver.counter('tri_agent_otlp_records_total', { signal });
}

describe("A body of several megabytes of Codex's", () => {
  test('log records in protobuf is taken, and every event of it is stored', async () => {
    const copies = copiesOf(recorded('codex', 'b-tool', 'logs'), 'logs', 4 * mebibyte);
    const body = Buffer.concat(copies);
    expect(body.length).toBeGreaterThan(4 * mebibyte);
    const answer = await send('logs', body, PROTOBUF);
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
    const wanted = eventsOf('logs', copies).map(({ event }) => event);
    expect(wanted.length).toBeGreaterThan(1_000);
    expect(idsOf(receiver.log.events)).toEqual(idsOf(wanted));
  });

  test.each([
    ['traces', 3],
    ['metrics', 2],
    ['logs', 2],
  ] as const)('%s as JSON, %i MiB, is taken and read to the last record', async (signal, size) => {
    const copies = copiesOf(recorded('codex', 'b-tool', signal), signal, size * mebibyte);
    const body = asJson(signal, Buffer.concat(copies));
    expect(body.length).toBeGreaterThan(size * mebibyte);
    expect(body.length).toBeLessThan(limits.bodyBytesMax);
    const answer = await send(signal, body, JSON_TYPE);
    expect([answer.status, answer.body.toString()]).toEqual([200, '{}']);
    const told = copies.reduce((sum, copy) => sum + decode(signal, copy).records.length, 0);
    expect(await records(signal)).toBe(told);
    const wanted = eventsOf(signal, copies).map(({ event }) => event);
    expect(idsOf(receiver.log.events)).toEqual(idsOf(wanted));
  });

  test('is refused with 413 where it is larger than the limit, and nothing is stored', async () => {
    const [spans] = recorded('codex', 'b-tool', 'traces');
    const copies = Math.ceil(limits.bodyBytesMax / spans!.length);
    const body = Buffer.concat(Array.from({ length: copies }, () => spans!));
    expect((await send('traces', body, PROTOBUF)).status).toBe(413);
    expect(await records('traces')).toBe(0);
  });
});
