import { Registry } from 'prom-client';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { claudeCode } from '#libs/telemetry/claude-code.translate.js';
import { codex } from '#libs/telemetry/codex.translate.js';
import { gemini } from '#libs/telemetry/gemini.translate.js';
import { plainIntake } from '#libs/telemetry/otlp.receiver.contract.js';
import { loadRecording, recordedAgents, recordingGroups } from '#libs/telemetry/recordings.js';
import { decode } from '#libs/telemetry/recordings.spec-helper.js';
import { Loops } from '#libs/watch/loops.policy.js';
import { Silences } from '#libs/watch/silence.policy.js';

/** What real agents did, watched as if it came in when they exported it. */

interface Noticed {
  readonly loops: string[];
  /** Sessions that were silent while they ran, and those whose request stood open at the end. */
  readonly silentMeanwhile: string[];
  readonly openInTheEnd: string[];
}

async function watched(agent: string, group: string, exportIntervalMs: number): Promise<Noticed> {
  const log = new MemoryLog();
  const intake = plainIntake(log, new Registry(), null, [claudeCode, codex, gemini]);
  const loops = new Loops();
  const silences = new Silences(exportIntervalMs * 3);
  const noticed: Noticed = { loops: [], silentMeanwhile: [], openInTheEnd: [] };
  let seen = 0;
  let nowMs = 0;
  const passUntil = (untilMs: number, into: string[]): void => {
    for (; nowMs < untilMs; nowMs += 100) {
      into.push(...silences.tick(nowMs, 0).map(({ session }) => session.sessionId));
    }
  };
  for (const { signal, bytes, offsetMs } of loadRecording(group, agent).bodies) {
    passUntil(offsetMs, noticed.silentMeanwhile);
    await intake.accept(decode(signal, bytes));
    for (const event of await newEvents(log, seen)) {
      seen += 1;
      silences.observe(event, nowMs);
      const loop = loops.observe(event);
      if (loop !== undefined) noticed.loops.push(`${loop.what} ${loop.name} ${loop.times}`);
    }
  }
  passUntil(nowMs + exportIntervalMs * 4, noticed.openInTheEnd);
  return noticed;
}

async function newEvents(log: MemoryLog, after: number): Promise<RecordedDomainEvent[]> {
  const reading = new AbortController();
  const head = await log.head();
  const found: RecordedDomainEvent[] = [];
  if (head === BigInt(after)) return found;
  for await (const batch of log.follow(BigInt(after), { signal: reading.signal })) {
    found.push(...(batch as RecordedDomainEvent[]));
    if (batch.at(-1)?.position === head) reading.abort();
  }
  return found;
}

const groups = recordedAgents.flatMap((agent) =>
  recordingGroups(agent).map((group) => [agent, group] as const),
);

describe('In what real agents sent', () => {
  test.each(groups)('there is no loop and no silent session: %s, %s', async (agent, group) => {
    expect(await watched(agent, group, 5_000)).toEqual({
      loops: [],
      silentMeanwhile: [],
      openInTheEnd: [],
    });
  });
});
