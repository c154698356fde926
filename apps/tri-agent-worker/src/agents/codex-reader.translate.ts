import { limits } from '#kernel/limits.js';
import type { Completed, Exit, Failed, News, Outcome, Reader, Tokens } from './agent.js';
import {
  clipped,
  countOf,
  endOf,
  failed,
  isHopeless,
  jsonOf,
  lastWords,
  nameOf,
  objectOf,
  objectsOf,
  percentOf,
  progress,
  said,
  statusOf,
  textOf,
  toolCall,
  unreadable,
  waitOf,
  type Json,
} from './output.translate.js';

const reconnecting = /^Reconnecting\.\.\. \d+\/\d+/;
const contextFull = /context window/i;
const unknownSession = /no rollout found for thread id/i;

/** What it says instead of a status, and with which status its provider makes it say so. */
const wordings: readonly (readonly [words: RegExp, statusCode: number])[] = [
  [/usage limit|quota exceeded|rate limit reached/i, 429],
  [/at capacity/i, 503],
  [/high demand/i, 500],
];

/** Reads what `codex exec --json` prints. */
export class CodexReader implements Reader {
  isAtPause = false;
  private sessionId: string | null = null;
  private answer = '';
  private error: string | undefined;
  /** Of the last turn; undefined while it is not complete. */
  private usage: Json | undefined;

  constructor(private readonly isResumed: boolean) {}

  line(text: string, isCut: boolean): News[] {
    const line = isCut ? undefined : jsonOf(text);
    this.isAtPause = line?.['type'] === 'item.completed';
    if (line === undefined) return unreadable(text, isCut);
    switch (line['type']) {
      case 'thread.started':
        return this.session(line);
      case 'turn.started':
        this.usage = this.error = undefined;
        return [];
      case 'turn.completed':
        this.usage = objectOf(line['usage']) ?? {};
        this.error = undefined;
        return [];
      case 'turn.failed':
        this.error =
          textOf(objectOf(line['error'])?.['message']) ?? this.error ?? 'no reason was told';
        return [];
      case 'error':
        return this.trouble(textOf(line['message']) ?? 'no reason was told');
      default:
        return this.item(line['type'], objectOf(line['item']) ?? {});
    }
  }

  end(exit: Exit): Outcome {
    const { sessionId, usage } = this;
    if (this.error !== undefined) return this.failure(this.error);
    if (usage !== undefined && exit.exitCode === 0) return this.success(usage);
    const words = usage === undefined ? 'and did not complete its turn' : 'after its turn';
    const told = `Codex CLI ${endOf(exit)} ${words}${lastWords(exit)}`;
    if (!unknownSession.test(exit.stderrTail)) return failed(told, true, sessionId);
    const unknown = failed(told, this.isResumed, null);
    return this.isResumed ? { ...unknown, isConversationGone: true } : unknown;
  }

  private session({ thread_id: thread }: Json): News[] {
    const sessionId = nameOf(thread);
    if (sessionId === undefined || sessionId === this.sessionId) return [];
    this.sessionId = sessionId;
    return [{ is: 'session', sessionId }];
  }

  /** It tells in the same words what it will try again and what it gave up. */
  private trouble(message: string): News[] {
    if (!reconnecting.test(message)) {
      this.error = message;
      return progress(`error: ${reasonOf(message).text}`);
    }
    const { statusCode = null } = reasonOf(message);
    return [{ is: 'retry', statusCode, retryAfterMs: waitIn(message) ?? null }];
  }

  private item(event: unknown, item: Json): News[] {
    const isDone = event === 'item.completed';
    switch (item['type']) {
      case 'agent_message':
        if (!isDone) return [];
        this.answer = clipped(textOf(item['text']) ?? '', limits.promptCharactersMax);
        return said(this.answer);
      case 'command_execution':
        return isDone ? commandEnd(item) : progress(toolCall('shell', item));
      case 'mcp_tool_call':
        return isDone ? [] : progress(toolCall(item['tool'], item['arguments']));
      case 'web_search':
        return isDone ? progress(toolCall('web search', item)) : [];
      case 'file_change':
        return isDone ? objectsOf(item['changes']).flatMap(changed) : [];
      case 'todo_list':
        return plan(objectsOf(item['items']));
      case 'error':
        return progress(`error: ${textOf(item['message']) ?? 'no reason was told'}`);
      default:
        return [];
    }
  }

  private failure(message: string): Failed {
    const { text, statusCode } = reasonOf(message);
    const isHopelessEnd = contextFull.test(text) || isHopeless(statusCode);
    const retryAfterMs = waitIn(text);
    return {
      ...failed(`Codex CLI gave up: ${text}`, !isHopelessEnd, this.sessionId),
      ...(statusCode === undefined ? {} : { statusCode }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  private success(usage: Json): Completed {
    return {
      is: 'completed',
      result: this.answer,
      sessionId: this.sessionId,
      tokens: tokensOf(usage),
      costNanoUsd: null,
      // What it tells is of the whole thread.
      covers: this.isResumed ? 'session' : 'run',
    };
  }
}

/** A refused request comes as the provider's JSON, other trouble in words that may name the status. */
function reasonOf(message: string): { text: string; statusCode?: number } {
  const error = objectOf(jsonOf(message)?.['error']);
  if (error !== undefined) return { text: textOf(error['message']) ?? message, statusCode: 400 };
  const told = /(?:last status:|unexpected status) (\d{3})\b/.exec(message)?.[1];
  const statusCode = statusOf(Number(told)) ?? wordings.find(([words]) => words.test(message))?.[1];
  return { text: message, ...(statusCode === undefined ? {} : { statusCode }) };
}

const unitMs = { ms: 1, s: 1_000, m: 60_000 } as const;

/** `Please try again in 3.5s`. */
function waitIn(message: string): number | undefined {
  const [, amount, unit] = /try again in (\d{1,9}(?:\.\d{1,9})?) ?(ms|s|m)\b/i.exec(message) ?? [];
  if (amount === undefined) return undefined;
  return waitOf(Number(amount) * unitMs[(unit ?? 's').toLowerCase() as keyof typeof unitMs]);
}

/** Its input includes what was cached. */
function tokensOf(usage: Json): Tokens | null {
  const count = (kind: string) => countOf(usage[kind] ?? 0);
  const [all, output] = [count('input_tokens'), count('output_tokens')];
  const [cacheRead, cacheCreation] = [
    count('cached_input_tokens'),
    count('cache_write_input_tokens'),
  ];
  if (all === undefined || output === undefined) return null;
  if (cacheRead === undefined || cacheCreation === undefined) return null;
  const input = countOf(all - cacheRead - cacheCreation);
  if (input === undefined || usage['input_tokens'] === undefined) return null;
  const reasoning = countOf(usage['reasoning_output_tokens']) ?? null;
  return { input, output, cacheRead, cacheCreation, reasoning };
}

function commandEnd(item: Json): News[] {
  const { exit_code: exitCode } = item;
  if (typeof exitCode !== 'number' || exitCode === 0) return [];
  return progress(`exit code ${exitCode}: ${toolCall('shell', item)}`);
}

function changed({ kind, path }: Json): News[] {
  return progress(`${nameOf(kind) ?? 'change'}: ${textOf(path) ?? 'a file'}`);
}

function plan(steps: readonly Json[]): News[] {
  const current = steps.find(({ completed }) => completed !== true) ?? steps.at(-1);
  const what = textOf(current?.['text']);
  if (what === undefined) return [];
  return progress(
    `plan: ${what}`,
    percentOf(steps, ({ completed }) => completed === true),
  );
}
