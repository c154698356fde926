import type { Fact, UsageFact } from './facts.js';
import { HeldFacts, type Dialect, type TranscriptTranslator } from './translator.translate.js';
import {
  areOfOneRequest,
  nameOf,
  noTokens,
  objectOf,
  timeOf,
  tokensOf,
  type Json,
} from './values.translate.js';

/**
 * Gemini CLI: `tmp/<project>/chats/session-<minute>-<id>.jsonl`, a header and then messages and
 * patches (`$set`); older versions wrote one `.json` of header and messages.
 */
export const gemini: Dialect = {
  agent: 'gemini',
  marks: ['"tokens"', '"sessionId"'],
  begin: (path) => new GeminiTranscript(path),
};

class GeminiTranscript implements TranscriptTranslator {
  private readonly facts = new HeldFacts();
  private readonly project: string | undefined;
  private sessionId: string | undefined;
  private isSubagent = false;

  constructor(path: string) {
    const folder = nameOf(/([^\\/]+)[\\/]chats[\\/]/.exec(path)?.[1]);
    // Older versions name the folder by a hash, which tells nobody anything.
    this.project = folder !== undefined && /^[0-9a-f]{64}$/.test(folder) ? undefined : folder;
  }

  line(line: Json): string | undefined {
    const patch = objectOf(line['$set']);
    if (patch !== undefined) return this.header(patch);
    return line['type'] === undefined ? this.header(line) : this.message(line);
  }

  take(all: boolean): Fact[] {
    return this.facts.take(all);
  }

  /** What says whose the messages are, and messages, where it holds some. */
  private header(of: Json): string | undefined {
    this.sessionId = nameOf(of['sessionId']) ?? this.sessionId;
    if (of['kind'] !== undefined) this.isSubagent = of['kind'] === 'subagent';
    const messages = Array.isArray(of['messages']) ? (of['messages'] as unknown[]) : [];
    let fault: string | undefined;
    for (const message of messages) fault = this.message(objectOf(message) ?? {}) ?? fault;
    return fault;
  }

  /** A message may be told again, with more in it: the last time counts. */
  private message(message: Json): string | undefined {
    const tokens = objectOf(message['tokens']);
    if (message['type'] !== 'gemini' || tokens === undefined) return undefined;
    const { sessionId } = this;
    const id = nameOf(message['id']);
    const key = sessionId === undefined ? undefined : nameOf(`${sessionId} ${id ?? ''}`);
    const occurredAt = timeOf(message['timestamp']);
    const used = tokensApart(tokens);
    if (sessionId === undefined) return 'no line before it names the session';
    if (id === undefined || key === undefined) return 'the message has no id';
    if (occurredAt === undefined) return 'the message has no time';
    if (used === undefined) return noTokens;
    const fact: UsageFact = {
      kind: 'usage',
      agent: 'gemini',
      sessionId,
      key,
      occurredAt,
      model: nameOf(message['model']) ?? 'unknown',
      tier: null,
      ...used,
      thread: this.isSubagent ? 'subagent' : 'main',
      project: this.project,
    };
    this.facts.hold(fact, () => true);
    return undefined;
  }
}

/** The client counts cached tokens as input, too, and thoughts apart from output. */
function tokensApart(of: Json) {
  const input = tokensOf(of['input']);
  const output = tokensOf(of['output']);
  const cached = tokensOf(of['cached']);
  const thoughts = tokensOf(of['thoughts']);
  const tool = tokensOf(of['tool']);
  if (input === undefined || output === undefined || cached === undefined) return undefined;
  if (thoughts === undefined || tool === undefined) return undefined;
  if (!areOfOneRequest(input, output, cached, thoughts, tool)) return undefined;
  return {
    // As in its telemetry: should more be cached than was asked, nothing else was.
    inputTokens: Math.max(0, input - cached) + tool,
    outputTokens: output + thoughts,
    cacheReadTokens: cached,
    cacheCreationTokens: 0,
    cacheCreation1hTokens: null,
    reasoningTokens: of['thoughts'] === undefined ? null : thoughts,
  };
}
