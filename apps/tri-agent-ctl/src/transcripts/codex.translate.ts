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

/** Codex: `sessions/YYYY/MM/DD/rollout-<time>-<thread>.jsonl`, to which a resumed thread appends. */
export const codex: Dialect = {
  agent: 'codex',
  marks: [
    '"session_meta"',
    '"turn_context"',
    '"token_usage_record"',
    '"token_count"',
    '"compacted"',
  ],
  begin: (path) => new CodexTranscript(path),
};

class CodexTranscript implements TranscriptTranslator {
  private readonly facts = new HeldFacts();
  private readonly threadInName: string | undefined;
  private meta: Json | undefined;
  private model = 'unknown';
  private cwd: unknown;
  /** From the first record on, the token counts only repeat the records. */
  private hasRecords = false;
  private lastCount = '';
  /** What the thread has used up to its last record. */
  private totals: Fact | undefined;

  constructor(path: string) {
    this.threadInName = /-([0-9a-f-]{36})\.jsonl(?:\.zst)?$/.exec(path)?.[1];
  }

  line(line: Json): string | undefined {
    const payload = objectOf(line['payload']);
    if (payload === undefined) return undefined;
    switch (line['type']) {
      case 'session_meta':
        // A fork's file holds its own first, then that of the thread it was made of.
        this.meta ??= payload;
        return undefined;
      case 'turn_context':
        this.model = nameOf(payload['model']) ?? this.model;
        this.cwd = payload['cwd'] ?? this.cwd;
        return undefined;
      case 'token_usage_record':
        return this.record(line, payload);
      case 'event_msg':
        return payload['type'] === 'token_count' ? this.count(line, payload) : undefined;
      case 'compacted':
        return this.compaction(line);
      default:
        return undefined;
    }
  }

  take(all: boolean): Fact[] {
    const facts = this.facts.take(all);
    if (all && this.totals !== undefined) {
      facts.push(this.totals);
      this.totals = undefined;
    }
    return facts;
  }

  private record(line: Json, payload: Json): string | undefined {
    this.hasRecords = true;
    const sessionId = nameOf(payload['thread_id']) ?? this.sessionId();
    const key = nameOf(payload['response_id']);
    if (key === undefined) return 'the request has no response_id';
    const fault = this.request(line, objectOf(payload['usage']), sessionId, key);
    if (fault !== undefined) return fault;
    const used = tokensApart(objectOf(payload['thread_token_usage']));
    const statedAt = timeOf(line['timestamp']);
    if (used !== undefined && statedAt !== undefined && sessionId === this.sessionId()) {
      const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = used;
      const tokens = { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens };
      this.totals = {
        kind: 'totals',
        agent: 'codex',
        sessionId,
        statedAt,
        ...tokens,
        costUsd: null,
      };
    }
    return undefined;
  }

  /** All that older versions wrote. It is repeated when only the rate limits have changed. */
  private count(line: Json, payload: Json): string | undefined {
    const info = objectOf(payload['info']);
    if (this.hasRecords || info === undefined) return undefined;
    const total = JSON.stringify(info['total_token_usage'] ?? null);
    if (total === this.lastCount) return undefined;
    this.lastCount = total;
    const usage = objectOf(info['last_token_usage']);
    if (usage === undefined) return undefined;
    const amounts = Object.values(objectOf(info['total_token_usage']) ?? usage);
    // Without the thread, so that what a fork copied from another file is the same request.
    const key = nameOf(`count ${String(line['timestamp'])} ${amounts.join(' ')}`);
    if (key === undefined) return noTokens;
    return this.request(line, usage, this.sessionId(), key);
  }

  private request(
    line: Json,
    usage: Json | undefined,
    sessionId: string,
    key: string,
  ): string | undefined {
    const occurredAt = timeOf(line['timestamp']);
    const used = tokensApart(usage);
    if (occurredAt === undefined) return 'the request has no time';
    if (used === undefined || !areOfOneRequest(used.inputTokens, used.outputTokens))
      return noTokens;
    if (!areOfOneRequest(used.cacheReadTokens, used.cacheCreationTokens)) return noTokens;
    const fact: UsageFact = {
      kind: 'usage',
      agent: 'codex',
      sessionId,
      key,
      occurredAt,
      model: this.model,
      provider: nameOf(this.meta?.['model_provider']),
      tier: null,
      ...used,
      cacheCreation1hTokens: null,
      thread: isSubagent(this.meta) ? 'subagent' : 'main',
      project: lastPartOf(this.cwd ?? this.meta?.['cwd']),
      clientVersion: nameOf(this.meta?.['cli_version']),
    };
    this.facts.hold(fact, () => true);
    return undefined;
  }

  private compaction(line: Json): string | undefined {
    const occurredAt = timeOf(line['timestamp']);
    if (occurredAt === undefined) return 'the compaction has no time';
    const sessionId = this.sessionId();
    const sizes = { preTokens: null, postTokens: null };
    const what = { kind: 'compaction', agent: 'codex' } as const;
    this.facts.add({ ...what, sessionId, key: occurredAt, occurredAt, ...sizes });
    return undefined;
  }

  private sessionId(): string {
    return nameOf(this.meta?.['id']) ?? this.threadInName ?? 'unattributed';
  }
}

/** Codex counts cached tokens, read and written, as input too, and reasoning as output. */
function tokensApart(
  usage: Json | undefined,
): (Tokens & { readonly reasoningTokens: number | null }) | undefined {
  const all = tokensOf(usage?.['input_tokens']);
  const outputTokens = tokensOf(usage?.['output_tokens']);
  const cacheReadTokens = tokensOf(usage?.['cached_input_tokens']);
  const cacheCreationTokens = tokensOf(usage?.['cache_write_input_tokens']);
  const reasoning = usage?.['reasoning_output_tokens'] ?? null;
  if (usage === undefined || all === undefined || outputTokens === undefined) return undefined;
  if (cacheReadTokens === undefined || cacheCreationTokens === undefined) return undefined;
  const inputTokens = all - cacheReadTokens - cacheCreationTokens;
  if (inputTokens < 0) return undefined;
  const reasoningTokens = reasoning === null ? null : (tokensOf(reasoning) ?? null);
  return { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, reasoningTokens };
}

function isSubagent(meta: Json | undefined): boolean {
  return (
    meta?.['thread_source'] === 'subagent' || objectOf(meta?.['source'])?.['subagent'] !== undefined
  );
}
