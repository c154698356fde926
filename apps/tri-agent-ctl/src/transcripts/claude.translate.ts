import { formatUsd, nanoUsdFromDollars } from '#kernel/money.js';
import type { Fact, Tokens, UsageFact } from './facts.js';
import { HeldFacts, type Dialect, type TranscriptTranslator } from './translator.translate.js';
import {
  areOfOneRequest,
  lastPartOf,
  nameOf,
  noTokens,
  objectOf,
  timeOf,
  tokensOf,
  type Json,
} from './values.translate.js';

/** Claude Code: `projects/<folder>/<session>.jsonl` and `<session>/subagents/agent-<id>.jsonl`. */
export const claude: Dialect = {
  agent: 'claude-code',
  marks: ['put_tokens"', '"cost-state"'],
  begin: (path) => new ClaudeTranscript(path),
};

/** What the client writes where no model answered. */
const SYNTHETIC = '<synthetic>';

class ClaudeTranscript implements TranscriptTranslator {
  private readonly facts = new HeldFacts();
  private readonly fileName: string;
  private readonly subagentId: string | undefined;
  private lastAt: string | undefined;
  private cwd: unknown;
  private project: string | undefined;

  constructor(path: string) {
    this.fileName = nameOf(lastPartOf(path)?.replace(/\.jsonl$/, '')) ?? 'unknown';
    this.subagentId = /[\\/]subagents[\\/](?:.*[\\/])?agent-([^\\/]{1,150})\.jsonl$/.exec(
      path,
    )?.[1];
  }

  line(line: Json): string | undefined {
    if (line['type'] === 'cost-state') return this.totals(line);
    const message = objectOf(line['message']);
    const usage = objectOf(message?.['usage']);
    if (line['type'] !== 'assistant' || message === undefined || usage === undefined) {
      return undefined;
    }
    return message['model'] === SYNTHETIC ? undefined : this.request(line, message, usage);
  }

  take(all: boolean): Fact[] {
    return this.facts.take(all);
  }

  /** An answer comes as one line for each of its blocks; the one with the most output is whole. */
  private request(line: Json, message: Json, usage: Json): string | undefined {
    const requestId = nameOf(line['requestId']);
    const key = requestId ?? nameOf(message['id']) ?? nameOf(line['uuid']);
    const occurredAt = timeOf(line['timestamp']);
    const tokens = tokensUsed(usage);
    const costUsd = costOf(line['costUSD']);
    if (key === undefined) return 'the request has no id';
    if (occurredAt === undefined) return 'the request has no time';
    if (tokens === undefined) return noTokens;
    if (costUsd === null) return 'the cost is none';
    this.lastAt = occurredAt;
    const fact: UsageFact = {
      kind: 'usage',
      agent: 'claude-code',
      sessionId: nameOf(line['sessionId']) ?? this.fileName,
      key,
      requestId,
      occurredAt,
      model: nameOf(message['model']) ?? 'unknown',
      provider: providerOf(message['id']),
      tier: tierOf(usage),
      ...tokens,
      cacheCreation1hTokens: cached1hOf(usage),
      // The client writes 0 also where the model's answer did not say.
      reasoningTokens: null,
      costUsd,
      ...this.threadOf(line),
      project: this.projectOf(line['cwd']),
      clientVersion: nameOf(line['version']),
    };
    this.facts.hold(fact, (held) => fact.outputTokens >= held.outputTokens);
    return undefined;
  }

  /** The folder is the same from line to line, mostly. */
  private projectOf(cwd: unknown): string | undefined {
    if (cwd !== this.cwd) {
      this.cwd = cwd;
      this.project = lastPartOf(cwd);
    }
    return this.project;
  }

  private threadOf(line: Json): Pick<UsageFact, 'thread' | 'subagentId'> {
    const subagentId = nameOf(line['agentId']) ?? this.subagentId;
    const isSubagent = line['isSidechain'] === true || subagentId !== undefined;
    return { thread: isSubagent ? 'subagent' : 'main', subagentId };
  }

  /** Written when a process ends, without a time, over all processes of the session. */
  private totals(line: Json): string | undefined {
    const models = Object.values(objectOf(line['modelUsage']) ?? {});
    const statedAt = this.lastAt ?? timeOf(line['startTime']);
    const costUsd = costOf(line['totalCostUSD']);
    const sum = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 };
    for (const model of models) {
      const of = objectOf(model) ?? {};
      sum.inputTokens += tokensOf(of['inputTokens']) ?? NaN;
      sum.outputTokens += tokensOf(of['outputTokens']) ?? NaN;
      sum.cacheReadTokens += tokensOf(of['cacheReadInputTokens']) ?? NaN;
      sum.cacheCreationTokens += tokensOf(of['cacheCreationInputTokens']) ?? NaN;
    }
    if (models.length === 0 || statedAt === undefined) return undefined;
    if (!Object.values(sum).every(Number.isSafeInteger)) return noTokens;
    if (costUsd === null) return 'the cost is none';
    this.facts.add({
      kind: 'totals',
      agent: 'claude-code',
      sessionId: nameOf(line['sessionId']) ?? this.fileName,
      statedAt,
      ...sum,
      costUsd: line['hasUnknownModelCost'] === true ? null : (costUsd ?? null),
    });
    return undefined;
  }
}

function tokensUsed(usage: Json): Tokens | undefined {
  const inputTokens = tokensOf(usage['input_tokens']);
  const outputTokens = tokensOf(usage['output_tokens']);
  const cacheReadTokens = tokensOf(usage['cache_read_input_tokens']);
  const cacheCreationTokens = tokensOf(usage['cache_creation_input_tokens']);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  if (cacheReadTokens === undefined || cacheCreationTokens === undefined) return undefined;
  return areOfOneRequest(inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens)
    ? { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens }
    : undefined;
}

function cached1hOf(usage: Json): number | null {
  const kept = objectOf(usage['cache_creation'])?.['ephemeral_1h_input_tokens'] ?? null;
  return kept === null ? null : (tokensOf(kept) ?? null);
}

/** The word of the telemetry: what is neither fast nor of another service tier is standard. */
function tierOf(usage: Json): string {
  const speed = nameOf(usage['speed']);
  if (speed !== undefined && speed !== 'standard' && speed !== 'normal') return speed;
  return nameOf(usage['service_tier']) ?? 'standard';
}

/** Undefined when it is not told, null when what is told is no cost. Only old versions tell it. */
function costOf(dollars: unknown): string | null | undefined {
  if (dollars === undefined || dollars === null) return undefined;
  const nanoUsd = typeof dollars === 'number' ? nanoUsdFromDollars(dollars) : undefined;
  const costUsd = nanoUsd === undefined ? undefined : formatUsd(BigInt(nanoUsd));
  return costUsd === undefined || costUsd.length > '123456.000000000'.length ? null : costUsd;
}

/** Gateways give their answers ids of their own kind. */
function providerOf(messageId: unknown): string | undefined {
  if (typeof messageId !== 'string') return undefined;
  if (messageId.startsWith('msg_bdrk_')) return 'bedrock';
  return messageId.startsWith('msg_vrtx_') ? 'vertex' : undefined;
}
