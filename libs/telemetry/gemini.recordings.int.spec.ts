import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import { gemini } from './gemini.translate.js';
import { loadRecording, recordingGroups } from './recordings.js';
import type { RecordedBody } from './recordings.js';
import { decode } from './recordings.spec-helper.js';

/** The client's own results are the oracle: what is translated must add up to what it says it spent. */

/** What the client printed of one model; it counts from the start of its process. */
type ModelResult = Readonly<Record<string, number>>;

interface GeminiResult {
  readonly session_id: string;
  readonly format: 'json' | 'stream-json';
  readonly models: Readonly<Record<string, ModelResult>>;
  readonly toolCalls: number;
}

const receivedAt = '2026-11-20T18:00:00.000Z';
const groups = recordingGroups('gemini').map((name) => loadRecording(name, 'gemini'));
const runs = groups.map(({ name, bodies, results }) => {
  const [result] = results as unknown as readonly GeminiResult[];
  const events = bodies.flatMap((body) => translated(body).drafts.map(({ event }) => event));
  return { name, result: result!, events };
});

function translated(body: RecordedBody, at = receivedAt) {
  return gemini.translate(decode(body.signal, body.bytes), at);
}

function ofType<T extends DomainEvent['type']>(events: readonly DomainEvent[], type: T) {
  return events.filter((event): event is Extract<DomainEvent, { type: T }> => event.type === type);
}

interface Spent {
  input: number;
  cached: number;
  output: number;
  total: number;
}

/** Both formats in the events' terms: of the output, only the total tells the thoughts. */
function spentBy({ format, models }: GeminiResult): Record<string, Spent> {
  return Object.fromEntries(
    Object.entries(models).map(([model, told]) => {
      const { input = NaN, cached = NaN } = told;
      const total = (format === 'json' ? told['total'] : told['total_tokens']) ?? NaN;
      const prompt = (format === 'json' ? told['prompt'] : told['input_tokens']) ?? NaN;
      return [model, { input: input + (told['tool'] ?? 0), cached, output: total - prompt, total }];
    }),
  );
}

function recordedSpend(events: readonly DomainEvent[]): Record<string, Spent> {
  const spent: Record<string, Spent> = {};
  for (const { data } of ofType(events, 'UsageRecorded')) {
    const sum = (spent[data.model] ??= { input: 0, cached: 0, output: 0, total: 0 });
    sum.input += data.inputTokens;
    sum.cached += data.cacheReadTokens;
    sum.output += data.outputTokens;
    sum.total += data.inputTokens + data.cacheReadTokens + data.outputTokens;
  }
  return spent;
}

/** The recorded runs are shorter than an export interval, so that each exported its counters once. */
function meteredSpend(events: readonly DomainEvent[]): Record<string, Spent> {
  return Object.fromEntries(
    ofType(events, 'UsageMetered').map(({ data }) => {
      const amountOf = (kind: string) => data.readings.find((r) => r.kind === kind)?.amount ?? 0;
      const cached = amountOf('promptCached');
      const input = amountOf('prompt') - cached + amountOf('input');
      const output = amountOf('output') + amountOf('thoughts');
      return [data.model, { input, cached, output, total: input + cached + output }];
    }),
  );
}

describe("The recorded runs' spend", () => {
  test('is known of four runs', () => {
    expect(runs.map(({ name }) => name)).toEqual([
      'a-plain-json',
      'b-tool-stream-json',
      'c-resume-uuid',
      'd-once429',
    ]);
  });

  test.each(runs)('in $name, log records add up to what the client says', ({ events, result }) => {
    expect(recordedSpend(events)).toEqual(spentBy(result));
  });

  test.each(runs)('in $name, counters add up to the same', ({ events, result }) => {
    expect(meteredSpend(events)).toEqual(spentBy(result));
  });

  test.each(runs.filter(({ result }) => result.format === 'json'))(
    'in $name, thoughts, answers, requests and errors are as the client says',
    ({ events, result }) => {
      for (const [model, told] of Object.entries(result.models)) {
        const usage = ofType(events, 'UsageRecorded').filter(({ data }) => data.model === model);
        const sum = (of: (one: (typeof usage)[number]['data']) => number) =>
          usage.reduce((total, { data }) => total + of(data), 0);
        expect({
          totalRequests: usage.length,
          totalErrors: ofType(events, 'RequestFailed').length,
          thoughts: sum(({ reasoningTokens }) => reasoningTokens ?? NaN),
          candidates: sum(({ outputTokens, reasoningTokens }) => {
            return outputTokens - (reasoningTokens ?? NaN);
          }),
        }).toEqual({
          totalRequests: told['totalRequests'],
          totalErrors: told['totalErrors'],
          thoughts: told['thoughts'],
          candidates: told['candidates'],
        });
      }
    },
  );

  test.each(runs)('in $name is of the session and tools that the client tells', (run) => {
    const { events, result } = run;
    const sessions = new Set(events.map((e) => ('sessionId' in e.data ? e.data.sessionId : '')));
    expect([...sessions]).toEqual([result.session_id]);
    expect(ofType(events, 'ToolFinished').length).toBe(result.toolCalls);
  });

  test('has no cost, for the client tells none', () => {
    const usage = runs.flatMap(({ events }) => ofType(events, 'UsageRecorded'));
    expect(usage.length).toBe(5);
    for (const { data } of usage) {
      expect([data.costNanoUsd, data.costOrigin]).toEqual([null, 'unknown']);
    }
  });

  test('of a resumed session adds to what was: its results begin at nothing', () => {
    const [, before, resumed] = runs;
    expect(resumed!.result.session_id).toBe(before!.result.session_id);
    const starts = [before!, resumed!].flatMap(({ events }) => ofType(events, 'SessionStarted'));
    expect(starts.map(({ data }) => data.startType)).toEqual(['fresh', 'resume']);
    const both = recordedSpend([...before!.events, ...resumed!.events])['gemini-2.5-pro'];
    expect(both?.total).toBe(23_799 + 12_085);
  });
});

describe('Over all recordings of Gemini CLI', () => {
  const all = groups
    .flatMap(({ bodies }) => bodies)
    .map((body) => ({ body, ...pick(translated(body)) }));
  const events = all.flatMap(({ drafts }) => drafts.map(({ event }) => event));

  function pick({ drafts, noise, rejected, unrecognised }: ReturnType<typeof translated>) {
    return { drafts, noise, rejected, unrecognised };
  }

  test('every event may be appended', () => {
    for (const event of events) expect(faultOf(event)).toBeUndefined();
  });

  test('nothing is unrecognised or rejected', () => {
    expect(all.flatMap(({ unrecognised }) => unrecognised)).toEqual([]);
    expect(all.reduce((count, { rejected }) => count + rejected, 0)).toBe(0);
  });

  test('every record is an event, part of one, or noise', () => {
    for (const { body, drafts, noise } of all) {
      const { signal, records } = decode(body.signal, body.bytes);
      // A tool call is two events.
      const told = drafts.reduce((sum, { event: { type, data } }) => {
        return sum + ('readings' in data ? data.readings.length : type === 'ToolDecided' ? 0 : 1);
      }, 0);
      const ignored = [...noise.values()].reduce((a, b) => a + b, 0);
      expect([signal, ignored + told]).toEqual([body.signal, records.length]);
    }
  });

  test('each thing that happened has one id', () => {
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  test('a body that is sent again gives the same events again', () => {
    for (const { body, drafts } of all) {
      expect(translated(body, '2026-11-20T18:00:07.000Z').drafts).toEqual(drafts);
    }
  });

  test('what was asked and done is content, and in no event', () => {
    const contents = all.flatMap(({ drafts }) => drafts.flatMap(({ content }) => content ?? []));
    expect(contents.length).toBe(5);
    expect(contents).toContain('ONCE429 x1');
    expect(JSON.stringify(events)).not.toMatch(/ONCE429|made-by-tool/);
  });

  test('the kinds and numbers of events are these', () => {
    const counts: Record<string, number> = {};
    for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
    expect(counts).toEqual({
      PromptSubmitted: 4,
      RequestFailed: 1,
      SessionStarted: 4,
      ToolDecided: 1,
      ToolFinished: 1,
      UsageMetered: 4,
      UsageRecorded: 5,
    });
  });
});
