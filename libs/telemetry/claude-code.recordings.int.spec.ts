import { formatUsd } from '#kernel/money.js';
import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import { claudeCode } from './claude-code.translate.js';
import { loadRecording, recordingGroups } from './recordings.js';
import type { RecordedBody, RecordedModelUsage, RecordedResult } from './recordings.js';
import { renamer, rewrite } from './recordings.rewrite.js';
import { decode } from './recordings.spec-helper.js';

/** The client's own results are the oracle: what is translated must add up to what it says it spent. */

const receivedAt = '2026-11-20T18:00:00.000Z';

function translated(body: RecordedBody) {
  return claudeCode.translate(decode(body.signal, body.bytes), receivedAt);
}

function eventsOf(...names: string[]): DomainEvent[] {
  return names
    .flatMap((name) => loadRecording(name).bodies)
    .flatMap((body) => translated(body).drafts.map(({ event }) => event));
}

function ofType<T extends DomainEvent['type']>(events: readonly DomainEvent[], type: T) {
  return events.filter((event): event is Extract<DomainEvent, { type: T }> => event.type === type);
}

interface Spent {
  costUsd: string;
  input: number;
  output: number;
  cacheRead: number;
  cacheCreation: number;
}

function sum(parts: readonly Omit<Spent, 'costUsd'>[], nanos: readonly number[]): Spent {
  const total = (kind: 'input' | 'output' | 'cacheRead' | 'cacheCreation') =>
    parts.reduce((amount, part) => amount + part[kind], 0);
  return {
    costUsd: formatUsd(nanos.reduce((amount, nano) => amount + BigInt(nano), 0n)),
    input: total('input'),
    output: total('output'),
    cacheRead: total('cacheRead'),
    cacheCreation: total('cacheCreation'),
  };
}

/** What the log records of one session say. */
function recordedSpend(events: readonly DomainEvent[], sessionId: string): Spent {
  const usage = ofType(events, 'UsageRecorded').filter((e) => e.data.sessionId === sessionId);
  return sum(
    usage.map(({ data }) => ({
      input: data.inputTokens,
      output: data.outputTokens,
      cacheRead: data.cacheReadTokens,
      cacheCreation: data.cacheCreationTokens,
    })),
    usage.map(({ data }) => data.costNanoUsd ?? NaN),
  );
}

/** What the counters of one session say. */
function meteredSpend(events: readonly DomainEvent[], sessionId: string): Spent {
  const readings = ofType(events, 'UsageMetered')
    .filter((e) => e.data.sessionId === sessionId)
    .flatMap((e) => e.data.readings);
  const amounts = (kind: string) => readings.filter((r) => r.kind === kind).map((r) => r.amount);
  const total = (kind: string) => amounts(kind).reduce((a, b) => a + b, 0);
  return sum(
    [
      {
        input: total('input'),
        output: total('output'),
        cacheRead: total('cacheRead'),
        cacheCreation: total('cacheCreation'),
      },
    ],
    amounts('costNanoUsd'),
  );
}

/** What the client says that a session has spent so far. */
function spendOf(result: RecordedResult): Spent {
  const models: RecordedModelUsage[] = Object.values(result.modelUsage);
  return sum(
    models.map((usage) => ({
      input: usage.inputTokens,
      output: usage.outputTokens,
      cacheRead: usage.cacheReadInputTokens,
      cacheCreation: usage.cacheCreationInputTokens,
    })),
    [Math.round(result.total_cost_usd * 1e9)],
  );
}

/** Sessions by the groups that their telemetry is in, with the last thing the client said of each. */
const resumed = ['c-context-resumed', 'c-context-manual'];
const chains = [
  ...recordingGroups()
    .filter((name) => !resumed.includes(name))
    .map((n) => [n]),
  resumed,
];
const sessions = chains.flatMap((names) => {
  const results = names.flatMap((name) => loadRecording(name).results);
  return [...new Map(results.map((result) => [result.session_id, result]))].map(
    ([sessionId, result]) => ({ groups: names.join(' + '), names, sessionId, result }),
  );
});

describe("The recorded sessions' spend", () => {
  test('is known of thirteen sessions', () => {
    expect(sessions.length).toBe(13);
  });

  test.each(sessions)(
    'in $groups, session $sessionId: log records add up to what the client says',
    ({ names, sessionId, result }) => {
      expect(recordedSpend(eventsOf(...names), sessionId)).toEqual(spendOf(result));
    },
  );

  test.each(sessions)(
    'in $groups, session $sessionId: counters add up to the same',
    ({ names, sessionId, result }) => {
      expect(meteredSpend(eventsOf(...names), sessionId)).toEqual(spendOf(result));
    },
  );

  test('of a resumed session is each run on top of the one before, in log records and counters', () => {
    const [before] = loadRecording('c-context-resumed').results.slice(-1);
    const [after] = loadRecording('c-context-manual').results;
    const sessionId = after!.session_id;
    expect(before!.session_id).toBe(sessionId);
    const until = recordedSpend(eventsOf('c-context-resumed'), sessionId);
    expect(until).toEqual(spendOf(before!));
    const compaction = recordedSpend(eventsOf('c-context-manual'), sessionId);
    expect(compaction.costUsd).toBe('0.082350000');
    expect(compaction.costUsd).toBe(
      formatUsd(BigInt(Math.round((after!.total_cost_usd - before!.total_cost_usd) * 1e9))),
    );
    expect(meteredSpend(eventsOf('c-context-manual'), sessionId)).toEqual(compaction);
  });

  test.each(['b-tools', 'g-json'])(
    'in %s grows from run to run by what the client says, phase by phase',
    (name) => {
      const { results } = loadRecording(name);
      const costs = ofType(eventsOf(name), 'UsageRecorded')
        .sort((a, b) => (a.metadata.occurredAt < b.metadata.occurredAt ? -1 : 1))
        .map(({ data }) => BigInt(data.costNanoUsd ?? 0));
      const soFar = costs.map((_, index) =>
        formatUsd(costs.slice(0, index + 1).reduce((a, b) => a + b, 0n)),
      );
      for (const result of results) expect(soFar).toContain(spendOf(result).costUsd);
    },
  );
});

describe('A rewritten recording', () => {
  test.each(recordingGroups())(
    'of %s tells of other sessions, requests, messages and tool uses',
    (name) => {
      const renameId = renamer('another time');
      const again = loadRecording(name)
        .bodies.map((body) => rewrite(body.bytes, body.signal, { shiftNanos: 0n, renameId }))
        .map((bytes, index) => decode(loadRecording(name).bodies[index]!.signal, bytes))
        .flatMap((batch) => claudeCode.translate(batch, receivedAt).drafts);
      const idKeys = ['sessionId', 'requestId', 'promptId', 'messageId', 'toolUseId', 'subagentId'];
      const idsOf = (events: readonly DomainEvent[]) =>
        new Set(
          events.flatMap(({ id, data }) => [
            id,
            ...idKeys.flatMap((key) => (data as Record<string, unknown>)[key] ?? []),
          ]),
        );
      const recorded = idsOf(eventsOf(name));
      const rewritten = idsOf(again.map(({ event }) => event));
      expect(rewritten.size).toBe(recorded.size);
      expect([...rewritten].filter((id) => recorded.has(id))).toEqual([]);
    },
  );
});

describe('Over all recordings', () => {
  const bodies = recordingGroups().flatMap((name) => loadRecording(name).bodies);
  const all = bodies.map((body) => {
    const { drafts, noise, rejected, unrecognised } = translated(body);
    return { body, drafts, noise, rejected, unrecognised };
  });
  const events = all.flatMap(({ drafts }) => drafts.map(({ event }) => event));

  test('every event may be appended', () => {
    for (const event of events) expect(faultOf(event)).toBeUndefined();
  });

  test('nothing is unrecognised or rejected, and there is no content', () => {
    expect(all.flatMap(({ unrecognised }) => unrecognised)).toEqual([]);
    expect(all.reduce((count, { rejected }) => count + rejected, 0)).toBe(0);
    expect(all.flatMap(({ drafts }) => drafts).filter((d) => d.content !== undefined)).toEqual([]);
  });

  test('every record is an event, part of one, or noise', () => {
    for (const { body, drafts, noise } of all) {
      const ignored = [...noise.values()].reduce((a, b) => a + b, 0);
      const told = drafts.reduce((count, { event }) => {
        return count + ('readings' in event.data ? event.data.readings.length : 1);
      }, 0);
      expect(ignored + told).toBe(decode(body.signal, body.bytes).records.length);
    }
  });

  test('each thing that happened has one id', () => {
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  test('a body that is sent again gives the same events again', () => {
    const later = '2026-11-20T18:00:07.000Z';
    for (const { body, drafts } of all) {
      const again = claudeCode.translate(decode(body.signal, body.bytes), later);
      expect(again.drafts).toEqual(drafts);
    }
  });

  test('the session ids that --continue makes up appear nowhere', () => {
    const real = new Set(sessions.map(({ sessionId }) => sessionId));
    const seen = new Set(
      events.map((e) => ('sessionId' in e.data ? (e.data.sessionId ?? '') : '')),
    );
    expect([...seen].filter((sessionId) => !real.has(sessionId))).toEqual([]);
    const continued = all.map(({ noise }) => noise.get('session.count/continue') ?? 0);
    expect(continued.reduce((a, b) => a + b, 0)).toBe(4);
  });

  test('the kinds and numbers of events are these', () => {
    const counts: Record<string, number> = {};
    for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
    expect(counts).toMatchInlineSnapshot(`
      {
        "ActivityMetered": 30,
        "AnswerReceived": 37,
        "ContextCompacted": 1,
        "PromptSubmitted": 27,
        "RequestFailed": 2,
        "RequestRetried": 3,
        "RetriesExhausted": 1,
        "SessionStarted": 21,
        "SubagentFinished": 2,
        "ToolDecided": 30,
        "ToolFinished": 30,
        "UsageMetered": 35,
        "UsageRecorded": 59,
      }
    `);
  });

  test('the protobuf and the JSON recording of one workload tell of the same events', () => {
    const shapeOf = (name: string) =>
      eventsOf(name).map(({ type, data }) => `${type} ${Object.keys(data).join()}`);
    const usageOf = (name: string) => recordedSpend(eventsOf(name), sessionOf(name));
    const sessionOf = (name: string) => loadRecording(name).results[0]!.session_id;
    expect(usageOf('g-json')).toEqual(usageOf('b-tools'));
    expect(new Set(shapeOf('g-json'))).toEqual(new Set(shapeOf('b-tools')));
  });
});
