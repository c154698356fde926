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
  progress,
  said,
  statusOf,
  textOf,
  toolCall,
  unreadable,
  waitOf,
  type Json,
} from './output.translate.js';

/** Exit codes that are its own: input that is no use, such as an unknown session, and too many turns. */
const unusableInput = 42;
const hopelessExits: readonly (number | null)[] = [unusableInput, 53];

/** It ends with the status that it was refused with, of which the system keeps the last eight bits. */
const statusesOfExit = new Map(
  [400, 401, 403, 404, 413, 422, 429, 500, 502, 503, 504, 529].map((status) => [
    status % 256,
    status,
  ]),
);

/** Reads what `gemini --output-format=stream-json` prints. */
export class GeminiReader implements Reader {
  isAtPause = false;
  private sessionId: string | null = null;
  private answer = '';
  /** What it said since its last tool call and has not been told yet. */
  private spoken = '';
  private error: string | undefined;
  private result: Json | undefined;

  constructor(private readonly isResumed: boolean) {}

  line(text: string, isCut: boolean): News[] {
    const line = isCut ? undefined : jsonOf(text);
    this.isAtPause = line?.['type'] === 'tool_result';
    if (line === undefined) return unreadable(text, isCut);
    if (line['type'] === 'message') return this.message(line);
    return [...this.spokenNews(), ...this.newsOf(line)];
  }

  end(exit: Exit): Outcome {
    const { result, sessionId } = this;
    if (result === undefined) {
      const words = `Gemini CLI ${endOf(exit)} and told no result${lastWords(exit)}`;
      if (this.isResumed && exit.exitCode === unusableInput) {
        return { ...failed(words, true, null), isConversationGone: true };
      }
      return failed(words, !hopelessExits.includes(exit.exitCode), sessionId);
    }
    if (result['status'] !== 'success') return this.failure(result, exit);
    if (exit.exitCode === 0) return this.success(result);
    const words = `Gemini CLI told a result and then ${endOf(exit)}${lastWords(exit)}`;
    return failed(words, true, sessionId);
  }

  private newsOf(line: Json): News[] {
    switch (line['type']) {
      case 'init':
        return this.session(line);
      case 'tool_use':
        return progress(toolCall(line['tool_name'], line['parameters']));
      case 'tool_result':
        return line['status'] === 'error' ? toolFailure(line) : [];
      case 'error':
        this.error = textOf(line['message']) ?? this.error;
        return progress(`${nameOf(line['severity']) ?? 'error'}: ${this.error ?? ''}`);
      case 'result':
        this.result = line;
        return [];
      default:
        return [];
    }
  }

  private session(line: Json): News[] {
    const sessionId = nameOf(line['session_id']);
    if (sessionId === undefined || sessionId === this.sessionId) return [];
    this.sessionId = sessionId;
    return [{ is: 'session', sessionId }];
  }

  /** It speaks in pieces, of a few words each. */
  private message({ role, content }: Json): News[] {
    const text = textOf(content);
    if (role !== 'assistant' || text === undefined) return [];
    if (this.spoken.length <= limits.promptCharactersMax) this.spoken += text;
    return [];
  }

  /** Its answer is what it said last. */
  private spokenNews(): News[] {
    if (this.spoken === '') return [];
    this.answer = clipped(this.spoken, limits.promptCharactersMax);
    this.spoken = '';
    return said(this.answer);
  }

  private failure(result: Json, exit: Exit): Failed {
    const told = textOf(objectOf(result['error'])?.['message']) ?? this.error;
    const text = told ?? 'no reason was told';
    const statusCode = statusIn(text, exit);
    const isHopelessEnd = isHopeless(statusCode) || hopelessExits.includes(exit.exitCode);
    const retryAfterMs = waitIn(text);
    return {
      ...failed(`Gemini CLI gave up: ${text}`, !isHopelessEnd, this.sessionId),
      ...(statusCode === undefined ? {} : { statusCode }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  private success({ stats }: Json): Completed {
    return {
      is: 'completed',
      result: this.answer,
      sessionId: this.sessionId,
      tokens: tokensOf(objectOf(stats) ?? {}),
      costNanoUsd: null,
      // It counts anew whenever it is started.
      covers: 'run',
    };
  }
}

function toolFailure({ output, error }: Json): News[] {
  const reason = textOf(objectOf(error)?.['message']) ?? textOf(output) ?? 'no reason was told';
  return progress(`a tool failed: ${reason}`);
}

/** In the provider's own words, else as it ended, else in what it printed of the error. */
function statusIn(text: string, { exitCode, stderrTail }: Exit): number | undefined {
  const quoted = /"code":\s{0,9}(\d{3})\b/.exec(text)?.[1];
  const printed = [
    ...stderrTail.slice(-limits.noteCharactersMax).matchAll(/^ {0,9}(?:status|code): (\d{3}),?$/gm),
  ].at(-1)?.[1];
  return statusOf(Number(quoted)) ?? statusesOfExit.get(exitCode ?? 0) ?? statusOf(Number(printed));
}

/** `Please retry in 2.1s.` */
function waitIn(text: string): number | undefined {
  const seconds = /retry in (\d{1,9}(?:\.\d{1,9})?)s\b/i.exec(text)?.[1];
  return seconds === undefined ? undefined : waitOf(Number(seconds) * 1_000);
}

/**
 * `input` leaves out what was cached; of the thoughts only the total knows, which is of input, output and
 * them.
 */
function tokensOf(stats: Json): Tokens | null {
  const [input, cacheRead] = [countOf(stats['input']), countOf(stats['cached'])];
  const [total, all] = [countOf(stats['total_tokens']), countOf(stats['input_tokens'])];
  const answered = countOf(stats['output_tokens']);
  if (input === undefined || cacheRead === undefined || answered === undefined) return null;
  const output = countOf((total ?? NaN) - (all ?? NaN));
  if (output === undefined || output < answered) return null;
  return { input, output, cacheRead, cacheCreation: 0, reasoning: output - answered };
}
