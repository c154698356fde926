import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import { receivedAt, recordedTurns } from './codex.spec-helper.js';
import { codex } from './codex.translate.js';
import { loadRecording, recordingGroups } from './recordings.js';
import type { RecordedBody } from './recordings.js';
import { decode } from './recordings.spec-helper.js';

/** The client's own output is the oracle: what is translated must add up to what it says it used. */

function translated(body: RecordedBody, at = receivedAt) {
  return codex.translate(decode(body.signal, body.bytes), at);
}

function bodiesOf(...groups: string[]): readonly RecordedBody[] {
  return groups.flatMap((group) => loadRecording(group, 'codex').bodies);
}

function eventsOf(...groups: string[]): DomainEvent[] {
  return bodiesOf(...groups).flatMap((body) => translated(body).drafts.map(({ event }) => event));
}

function ofType<T extends DomainEvent['type']>(events: readonly DomainEvent[], type: T) {
  return events.filter((event): event is Extract<DomainEvent, { type: T }> => event.type === type);
}

interface Used {
  input: number;
  cacheRead: number;
  cacheCreation: number;
  output: number;
  reasoning: number;
}

const nothing: Used = { input: 0, cacheRead: 0, cacheCreation: 0, output: 0, reasoning: 0 };

function recordedUse(events: readonly DomainEvent[], sessionId: string): Used {
  return ofType(events, 'UsageRecorded')
    .filter(({ data }) => data.sessionId === sessionId)
    .reduce(
      (sum, { data }) => ({
        input: sum.input + data.inputTokens,
        cacheRead: sum.cacheRead + data.cacheReadTokens,
        cacheCreation: sum.cacheCreation + data.cacheCreationTokens,
        output: sum.output + data.outputTokens,
        reasoning: sum.reasoning + (data.reasoningTokens ?? NaN),
      }),
      nothing,
    );
}

/** What the client says that the thread has used when the last run of the given groups ended. */
function printedUse(groups: readonly string[]): Used {
  const usage = groups.flatMap(recordedTurns).at(-1)?.usage;
  if (!usage) return nothing;
  return {
    input: usage.input_tokens - usage.cached_input_tokens - usage.cache_write_input_tokens,
    cacheRead: usage.cached_input_tokens,
    cacheCreation: usage.cache_write_input_tokens,
    output: usage.output_tokens,
    reasoning: usage.reasoning_output_tokens,
  };
}

/** Each thread with the runs that it had so far: what is printed is cumulative over them. */
const chains = recordingGroups('codex').map((group) => {
  const sessionId = recordedTurns(group)[0]!.thread_id;
  const groups = recordingGroups('codex').filter(
    (other) => other <= group && recordedTurns(other)[0]!.thread_id === sessionId,
  );
  return { groups, title: groups.join(' + '), sessionId };
});

describe("The recorded threads' tokens", () => {
  test('are of four runs, one of which resumes another', () => {
    expect(chains.map(({ title }) => title)).toEqual([
      'a-plain',
      'b-tool',
      'a-plain + c-resume',
      'd-429',
    ]);
  });

  test.each(chains)('in $title add up to what the client says', ({ groups, sessionId }) => {
    expect(recordedUse(eventsOf(...groups), sessionId)).toEqual(printedUse(groups));
  });

  test('in a resumed run are what it says less what the run before it said', () => {
    const [{ sessionId }] = chains as [(typeof chains)[0]];
    const before = printedUse(['a-plain']);
    const after = printedUse(['a-plain', 'c-resume']);
    const used = recordedUse(eventsOf('c-resume'), sessionId);
    expect(used).not.toEqual(after);
    expect(used).toEqual({
      input: after.input - before.input,
      cacheRead: after.cacheRead - before.cacheRead,
      cacheCreation: after.cacheCreation - before.cacheCreation,
      output: after.output - before.output,
      reasoning: after.reasoning - before.reasoning,
    });
  });

  test('have a cost that is unknown', () => {
    for (const { data } of ofType(eventsOf(...recordingGroups('codex')), 'UsageRecorded')) {
      expect(data).toMatchObject({ costNanoUsd: null, costOrigin: 'unknown' });
    }
  });
});

describe('The recorded runs', () => {
  test.each(chains)('in $title begin as they did', ({ groups }) => {
    const starts = ofType(eventsOf(groups.at(-1)!), 'SessionStarted');
    expect(starts.map(({ data }) => data.startType)).toEqual([
      groups.length > 1 ? 'resume' : 'fresh',
    ]);
  });

  test.each(recordingGroups('codex'))('in %s ran as many commands as the client says', (group) => {
    const commands = recordedTurns(group).reduce((sum, turn) => sum + turn.commands, 0);
    const events = eventsOf(group);
    expect(ofType(events, 'ToolFinished').length).toBe(commands);
    expect(ofType(events, 'ToolDecided').length).toBe(commands);
  });

  test.each(recordingGroups('codex'))('in %s failed where the client says so', (group) => {
    const [turn] = recordedTurns(group);
    const failures = ofType(eventsOf(group), 'RequestFailed').map(({ data }) => data);
    expect(failures.length).toBe(turn!.type === 'turn.failed' ? 1 : 0);
    for (const { statusCode, requestId } of failures) {
      expect(turn!.error).toContain(`last status: ${statusCode ?? 'none'}`);
      expect(turn!.error).toContain(`request id: ${requestId ?? 'none'}`);
    }
  });
});

describe("Over all of Codex's recordings", () => {
  const all = bodiesOf(...recordingGroups('codex')).map((body) => ({ body, ...translated(body) }));
  const drafts = all.flatMap((one) => one.drafts);
  const events = drafts.map(({ event }) => event);

  test('every event may be appended', () => {
    for (const event of events) expect(faultOf(event)).toBeUndefined();
  });

  test('nothing is unrecognised or rejected', () => {
    expect(all.flatMap(({ unrecognised }) => unrecognised)).toEqual([]);
    expect(all.reduce((count, { rejected }) => count + rejected, 0)).toBe(0);
  });

  test('every record is an event or noise', () => {
    for (const one of all) {
      const ignored = [...one.noise.values()].reduce((a, b) => a + b, 0);
      const { records } = decode(one.body.signal, one.body.bytes);
      expect(ignored + one.drafts.length).toBe(records.length);
    }
  });

  test('each thing that happened has one id, also when every body is sent again', () => {
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    for (const { body, drafts: first } of all) {
      expect(translated(body, '2026-11-20T18:00:07.000Z').drafts).toEqual(first);
    }
  });

  test('everything happened when its record says, not when it arrived', () => {
    for (const { metadata } of events) expect(metadata.occurredAt < '2026-11-20T17:10').toBe(true);
  });

  test('prompts and what tools were given are content and in no event', () => {
    const text = JSON.stringify(events);
    for (const said of ['say hello', 'hello-from-tool', 'ERR429 please']) {
      expect(text).not.toContain(said);
      expect(drafts.some(({ content }) => content?.includes(said))).toBe(true);
    }
  });

  test('the kinds and numbers of events, and the noise of log records, are these', () => {
    const counts: Record<string, number> = {};
    for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
    for (const { body, noise } of all.filter((one) => one.body.signal === 'logs')) {
      expect(body.path).toBe('/v1/logs');
      for (const [name, times] of noise) counts[name] = (counts[name] ?? 0) + times;
    }
    expect(counts).toMatchInlineSnapshot(`
      {
        "PromptSubmitted": 4,
        "RequestFailed": 1,
        "SessionStarted": 4,
        "ToolDecided": 1,
        "ToolFinished": 1,
        "UsageRecorded": 4,
        "api_request/ok": 4,
        "program_log": 3,
        "startup_phase": 6,
        "stream/fragment": 50,
        "stream/twin": 4,
        "tool_result/wrapper": 1,
        "turn_ttft": 3,
      }
    `);
  });
});
