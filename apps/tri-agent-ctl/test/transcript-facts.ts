import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { claude } from '../src/transcripts/claude.translate.js';
import { codex } from '../src/transcripts/codex.translate.js';
import type { Fact, TotalsFact, UsageFact } from '../src/transcripts/facts.js';
import { gemini } from '../src/transcripts/gemini.translate.js';
import { LineCutter } from '../src/transcripts/lines.js';
import type { Dialect } from '../src/transcripts/translator.translate.js';
import { objectOf } from '../src/transcripts/values.translate.js';

/** Transcripts as the real clients wrote them, their content cut short. */
export const recordedFolder = join(import.meta.dirname, 'transcripts');

export const recorded = {
  claudeTools: 'claude/projects/-home-dev-repo-b-tools/dd1fcb1f-4177-403e-bdae-71603bb1bf4b.jsonl',
  claudeSubagent:
    'claude/projects/-home-dev-repo-b-tools/dd1fcb1f-4177-403e-bdae-71603bb1bf4b/subagents/agent-a879143d5b9ec0fe5.jsonl',
  claudeCompacted:
    'claude/projects/-home-dev-repo-c-context/bf4f9c84-5f1f-4a78-8c0f-49bece0f82e2.jsonl',
  claudeParallel:
    'claude/projects/-home-dev-repo-d-parallel/8b5ef3b8-7e3c-4811-a30a-7d97e104debb.jsonl',
  codexResumed:
    'codex/sessions/2026/11/20/rollout-2026-11-20T17-06-53-01a1f9ec-e12e-7670-af59-0cf8db2f897b.jsonl',
  codexTool:
    'codex/sessions/2026/11/20/rollout-2026-11-20T17-08-40-01a1f9ee-84b6-7091-86d1-d93bb187c757.jsonl',
  codexFailed:
    'codex/sessions/2026/11/20/rollout-2026-11-20T17-09-14-01a1f9ef-08b0-7ea1-bab9-860b3b111e21.jsonl',
  codexKilled:
    'codex/sessions/2026/11/20/rollout-2026-11-20T17-10-00-01a1f9ef-ba8a-71d2-8c0f-ce821e2998cc.jsonl',
  codexAborted:
    'codex/sessions/2026/11/20/rollout-2026-11-20T17-10-06-01a1f9ef-d241-7810-959a-e5899a8f9055.jsonl',
  geminiPlain: 'gemini/tmp/gemini/chats/session-2026-11-20T17-10-a895d4ae.jsonl',
  geminiRetried: 'gemini/tmp/gemini/chats/session-2026-11-20T17-12-04be0979.jsonl',
  geminiResumed: 'gemini/tmp/gemini/chats/session-2026-11-20T17-12-a9e870ca.jsonl',
  geminiKilled: 'gemini/tmp/gemini/chats/session-2026-11-20T17-13-5adc80ee.jsonl',
} as const;

export type Recorded = keyof typeof recorded;

export function bytesOf(name: Recorded): Buffer {
  return readFileSync(join(recordedFolder, recorded[name]));
}

export function dialectOf(name: Recorded): Dialect {
  return name.startsWith('claude') ? claude : name.startsWith('codex') ? codex : gemini;
}

export interface Told {
  readonly facts: readonly Fact[];
  /** `<line>: <reason>`. */
  readonly faults: readonly string[];
  readonly lines: number;
}

/** What a file says whose bytes come in these pieces. */
export function readPieces(dialect: Dialect, path: string, pieces: readonly Uint8Array[]): Told {
  const translator = dialect.begin(path);
  const faults: string[] = [];
  const facts: Fact[] = [];
  const cutter = new LineCutter(dialect.marks, {
    line: (text, number) => {
      let line: unknown;
      try {
        line = JSON.parse(text);
      } catch {
        faults.push(`${number}: no JSON`);
        return;
      }
      const fault = translator.line(objectOf(line) ?? {});
      if (fault !== undefined) faults.push(`${number}: ${fault}`);
    },
    fault: (number, reason) => faults.push(`${number}: ${reason}`),
  });
  for (const piece of pieces) {
    // As a reader does, which uses its buffer again.
    const reused = Buffer.from(piece);
    cutter.feed(reused);
    reused.fill(0);
    facts.push(...translator.take(false));
  }
  cutter.flush();
  facts.push(...translator.take(true));
  return { facts, faults, lines: cutter.lines };
}

export function readRecorded(name: Recorded): Told {
  return readPieces(dialectOf(name), recorded[name], [bytesOf(name)]);
}

/** What a file of these lines says. */
export function readLines(dialect: Dialect, lines: readonly object[], path = 'file.jsonl'): Told {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  return readPieces(dialect, path, [Buffer.from(text)]);
}

export function usageIn({ facts }: Told): UsageFact[] {
  return facts.filter((fact) => fact.kind === 'usage');
}

export function totalsIn({ facts }: Told): TotalsFact[] {
  return facts.filter((fact) => fact.kind === 'totals');
}

const kinds = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheCreationTokens'] as const;

/** Tokens summed up, in the order input, output, cache read, cache creation. */
export function sumOf(facts: readonly (UsageFact | TotalsFact)[]): number[] {
  return kinds.map((kind) => facts.reduce((sum, fact) => sum + fact[kind], 0));
}
