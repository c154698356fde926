import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { formatUsd } from '#kernel/money.js';
import { clockAt } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { sessionsProjections } from '#libs/sessions/projections.js';
import { SessionsQueries } from '#libs/sessions/sessions.queries.js';
import { claudeCode } from '#libs/telemetry/claude-code.translate.js';
import { codex } from '#libs/telemetry/codex.translate.js';
import { gemini } from '#libs/telemetry/gemini.translate.js';
import { plainIntake } from '#libs/telemetry/otlp.receiver.contract.js';
import {
  loadRecording,
  recordedAgents,
  recordingGroups,
  type RecordedBody,
  type RecordedResult,
} from '#libs/telemetry/recordings.js';
import { decode } from '#libs/telemetry/recordings.spec-helper.js';

/**
 * What the clients themselves printed when a run ended is the oracle for what is answered of a session
 * in the end. Each counts in its own way: Claude Code and Codex over the session, across `--resume`;
 * Gemini CLI from the start of its process.
 */

type Told = Readonly<Record<string, number>>;
type Results = readonly unknown[];
type Tokens = Readonly<Record<'input' | 'output' | 'cacheRead' | 'cacheCreation', number>>;

const groups = recordedAgents.flatMap((agent) =>
  recordingGroups(agent).map((name) => loadRecording(name, agent)),
);
const resultsOf = (agent: string): Results =>
  groups.filter((group) => group.agent === agent).flatMap(({ results }) => results as Results);

function sumOf(all: readonly Tokens[]): Tokens {
  const sum = (kind: keyof Tokens) => all.reduce((total, tokens) => total + tokens[kind], 0);
  const [input, output, cacheRead] = [sum('input'), sum('output'), sum('cacheRead')];
  return { input, output, cacheRead, cacheCreation: sum('cacheCreation') };
}

/** The last result of each session, which includes those before it. */
function lastOf<Result>(results: readonly Result[], id: (result: Result) => string) {
  return new Map(results.map((result) => [id(result), result]));
}

function printedByClaude(): [string, Tokens, string][] {
  // A session of two groups ends in the one that comes first by name.
  const compacted = 'c-context-manual';
  const inOrder = [
    ...groups.filter(({ name, agent }) => agent === 'claude-code' && name !== compacted),
    loadRecording(compacted),
  ].flatMap(({ results }) => results);
  return [...lastOf<RecordedResult>(inOrder, (result) => result.session_id)].map(([id, result]) => [
    id,
    sumOf(
      Object.values(result.modelUsage).map((usage) => ({
        input: usage.inputTokens,
        output: usage.outputTokens,
        cacheRead: usage.cacheReadInputTokens,
        cacheCreation: usage.cacheCreationInputTokens,
      })),
    ),
    formatUsd(BigInt(Math.round(result.total_cost_usd * 1e9))),
  ]);
}

function printedByCodex(): [string, Tokens][] {
  const results = resultsOf('codex') as readonly { thread_id: string; usage: Told | null }[];
  return [...lastOf(results, ({ thread_id }) => thread_id)].map(([id, { usage }]) => {
    const of = (name: string) => usage?.[name] ?? 0;
    const cacheRead = of('cached_input_tokens');
    const cacheCreation = of('cache_write_input_tokens');
    const input = of('input_tokens') - cacheRead - cacheCreation;
    return [id, { input, output: of('output_tokens'), cacheRead, cacheCreation }];
  });
}

interface GeminiResult {
  readonly session_id: string;
  readonly models: Readonly<Record<string, Told>>;
}

function printedByGemini(): [string, Tokens][] {
  const results = resultsOf('gemini') as readonly GeminiResult[];
  return [...new Set(results.map(({ session_id }) => session_id))].map((id) => {
    const told = results.filter((it) => it.session_id === id);
    const models = told.flatMap((result) => Object.values(result.models));
    return [id, sumOf(models.map(geminiTokens))];
  });
}

/** Thoughts are told in the total alone by one of the two formats, so that output is the rest of it. */
function geminiTokens(told: Told): Tokens {
  const prompt = told['prompt'] ?? told['input_tokens'] ?? NaN;
  const output = (told['total'] ?? told['total_tokens'] ?? NaN) - prompt;
  const input = (told['input'] ?? NaN) + (told['tool'] ?? 0);
  return { input, output, cacheRead: told['cached'] ?? NaN, cacheCreation: 0 };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'totals-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What is answered of sessions once these bodies have been sent. */
async function answers(name: string, bodies: readonly RecordedBody[]): Promise<SessionsQueries> {
  const log = new MemoryLog();
  const intake = plainIntake(log, new Registry(), null, [claudeCode, codex, gemini]);
  for (const { signal, bytes } of bodies) await intake.accept(decode(signal, bytes));
  const file = join(folder, `${name}.db`);
  const writer = ReadModelsWriter.open(file, sessionsProjections, 0n, () => undefined);
  const reading = new AbortController();
  const head = await log.head();
  for await (const events of log.follow(0n, { signal: reading.signal })) {
    writer.apply(events);
    if (events.at(-1)?.position === head) reading.abort();
  }
  writer.close();
  return new SessionsQueries(new ReadModels(file), clockAt('2026-11-20T18:00:00.000Z'));
}

const all = groups.flatMap(({ bodies }) => bodies);
const ways: [string, string, RecordedBody[]][] = [
  ['as they came', 'requests', all],
  ['twice and backwards', 'requests', [...all, ...all].reverse()],
  ['without log records', 'metrics', all.filter(({ signal }) => signal !== 'logs')],
];

describe.each(ways)("The recorded sessions' totals, sent %s", (way, usageSource, bodies) => {
  let sessions: SessionsQueries;
  beforeAll(async () => {
    sessions = await answers(way, bodies);
  });

  test('are what Claude Code printed, tokens and cost', () => {
    const printed = printedByClaude();
    expect(printed.length).toBe(13);
    for (const [id, tokens, costUsd] of printed) {
      // Of a session that used nothing there is nothing to count it from.
      const source = Number(costUsd) === 0 ? {} : { usageSource };
      expect(sessions.find(id)).toMatchObject({ agent: 'claude-code', tokens, costUsd, ...source });
    }
  });

  test('are what Gemini CLI printed, run by run', () => {
    const printed = printedByGemini();
    expect(printed.length).toBe(3);
    for (const [id, tokens] of printed) {
      expect(sessions.find(id)).toMatchObject({ agent: 'gemini', usageSource, tokens });
    }
  });

  if (usageSource === 'requests') {
    test('are what Codex printed last of each thread', () => {
      const printed = printedByCodex();
      expect(printed.length).toBe(3);
      for (const [id, tokens] of printed) {
        expect(sessions.find(id)).toMatchObject({ agent: 'codex', tokens });
      }
    });
  }
});
