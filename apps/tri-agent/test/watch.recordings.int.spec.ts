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

/** Sends each body when it was sent, and tells what came of it in the log. */
async function replay(
  agent: string,
  group: string,
  clock: () => Date,
  sent: (offsetMs: number) => void,
  recorded: (event: RecordedDomainEvent, offsetMs: number) => void,
): Promise<void> {
  const log = new MemoryLog(clock);
  const intake = plainIntake(log, new Registry(), null, [claudeCode, codex, gemini]);
  let seen = 0n;
  for (const { signal, bytes, offsetMs } of loadRecording(group, agent).bodies) {
    sent(offsetMs);
    await intake.accept(decode(signal, bytes));
    for (const event of await newEvents(log, seen)) {
      seen = event.position;
      recorded(event, offsetMs);
    }
  }
}

/** When a recording began, by the agent's clock: nothing in it was sent before it happened. */
async function beginOf(agent: string, group: string): Promise<number> {
  let beganMs = 0;
  await replay(
    ...([agent, group, () => new Date(), () => undefined] as const),
    ({ metadata }, offsetMs) => {
      beganMs = Math.max(beganMs, Date.parse(metadata.occurredAt) - offsetMs);
    },
  );
  return beganMs;
}

async function watched(agent: string, group: string, exportIntervalMs: number): Promise<Noticed> {
  const loops = new Loops();
  const silences = new Silences(exportIntervalMs * 3);
  const noticed: Noticed = { loops: [], silentMeanwhile: [], openInTheEnd: [] };
  const beganMs = await beginOf(agent, group);
  let nowMs = beganMs;
  const passUntil = (untilMs: number, into: string[]): void => {
    for (; nowMs < untilMs; nowMs += 100) {
      into.push(...silences.tick(nowMs, 0).map(({ session }) => session.sessionId));
    }
  };
  const sent = (offsetMs: number): void => {
    passUntil(beganMs + offsetMs, noticed.silentMeanwhile);
  };
  await replay(
    agent,
    group,
    () => new Date(nowMs),
    sent,
    (event) => {
      silences.observe(event, nowMs);
      const loop = loops.observe(event);
      if (loop !== undefined) noticed.loops.push(`${loop.what} ${loop.name} ${loop.times}`);
    },
  );
  passUntil(nowMs + exportIntervalMs * 4, noticed.openInTheEnd);
  return noticed;
}

async function newEvents(log: MemoryLog, after: bigint): Promise<RecordedDomainEvent[]> {
  const reading = new AbortController();
  const head = await log.head();
  const found: RecordedDomainEvent[] = [];
  if (head === after) return found;
  for await (const batch of log.follow(after, { signal: reading.signal })) {
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

describe('Where agents export each second', () => {
  test('an agent that waits because its provider refuses is silent meanwhile', async () => {
    const { loops, silentMeanwhile, openInTheEnd } = await watched('claude-code', 'f-429', 1_000);
    expect({ loops, openInTheEnd }).toEqual({ loops: [], openInTheEnd: [] });
    expect(silentMeanwhile).toEqual([expect.stringMatching(/^669d9a/)]);
  });
});
