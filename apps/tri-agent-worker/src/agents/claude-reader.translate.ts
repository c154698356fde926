import { limits } from '#kernel/limits.js';
import { nanoUsdFromDollars } from '#kernel/money.js';
import type { Completed, Exit, Failed, News, Outcome, Reader, Tokens } from './agent.js';
import { ClaudeUsage } from './claude-usage.translate.js';
import {
  clipped,
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
  sumOf,
  textOf,
  toolCall,
  unreadable,
  waitOf,
  type Json,
} from './output.translate.js';

/** Ends that another attempt comes to again. */
const hopelessEnds = ['max_turns', 'budget_exhausted', 'prompt_too_long', 'blocking_limit'];
const unknownSession = /no conversation found with session id/i;

/** Reads what `claude --print --output-format=stream-json` prints. */
export class ClaudeReader implements Reader {
  isAtPause = false;
  private sessionId: string | null = null;
  private result: Json | undefined;
  private refusal: string | undefined;
  private retriedAttempt: unknown;
  private readonly usage = new ClaudeUsage();
  /** What was used since the process began; undefined once a version did not tell. */
  private used: Json[] | undefined = [];

  constructor(private readonly isResumed: boolean) {}

  line(text: string, isCut: boolean): News[] {
    const line = isCut ? undefined : jsonOf(text);
    this.isAtPause = line !== undefined && endsStep(line);
    if (line === undefined) return unreadable(text, isCut);
    return [...this.session(line), ...this.newsOf(line)];
  }

  end(exit: Exit): Outcome {
    const { result, sessionId } = this;
    if (result === undefined) {
      const words = `Claude Code ${endOf(exit)} and told no result${lastWords(exit)}`;
      if (unknownSession.test(exit.stderrTail)) return this.unknownSession(words);
      return failed(words, true, sessionId);
    }
    if (result['is_error'] !== false) return this.failure(result);
    const { num_turns: turns, local_command: command } = result;
    if (this.refusal !== undefined || (turns === 0 && command === undefined)) {
      const words = this.refusal ?? textOf(result['result']) ?? 'no reason was told';
      return failed(`Claude Code was not let take up the prompt: ${words}`, false, sessionId);
    }
    if (exit.exitCode === 0) return this.success(result);
    const words = `Claude Code told a result and then ${endOf(exit)}${lastWords(exit)}`;
    return failed(words, true, sessionId);
  }

  private unknownSession(words: string): Failed {
    const told = failed(words, this.isResumed, null);
    return this.isResumed ? { ...told, isConversationGone: true } : told;
  }

  private session(line: Json): News[] {
    const sessionId = nameOf(line['session_id']);
    if (sessionId === undefined || sessionId === this.sessionId) return [];
    this.sessionId = sessionId;
    return [{ is: 'session', sessionId }];
  }

  private newsOf(line: Json): News[] {
    switch (line['type']) {
      case 'system':
        return this.system(line);
      case 'assistant':
        this.retriedAttempt = undefined;
        if (line['is_api_error_message'] === true) return [];
        return [...assistant(line), ...this.usage.of(objectOf(line['message']))];
      case 'user':
        return toolFailures(line);
      case 'tool_progress':
        return progress(
          `${nameOf(line['tool_name']) ?? 'a tool'} has run for ${sumOf([line['elapsed_time_seconds']]) ?? 'some'} s`,
        );
      case 'result':
        return this.ended(line);
      default:
        return [];
    }
  }

  private system(line: Json): News[] {
    const { subtype } = line;
    if (subtype === 'api_retry') return this.retry(line);
    if (subtype === 'compact_boundary') return compaction(objectOf(line['compact_metadata']));
    const outcome = objectOf(line['prompt_submit_outcome']);
    if (outcome?.['kind'] === 'blocked_by_hook') {
      this.refusal = textOf(outcome['reason']) ?? 'a hook blocked it';
    }
    return [];
  }

  /** A long wait is told again and again, as the same attempt. */
  private retry({ attempt, error_status: status, retry_delay_ms: delay }: Json): News[] {
    if (attempt !== undefined && attempt === this.retriedAttempt) return [];
    this.retriedAttempt = attempt;
    const [statusCode, retryAfterMs] = [statusOf(status) ?? null, waitOf(delay) ?? null];
    return [{ is: 'retry', statusCode, retryAfterMs }];
  }

  /** One process can tell several results: what ran in the background may prompt it again. */
  private ended(line: Json): News[] {
    this.result = line;
    const used = objectOf(line['model_usage_since_last_result']);
    this.used = used === undefined ? undefined : this.used?.concat(modelsOf(used));
    const denied = objectsOf(line['permission_denials']).slice(0, limits.agentDenialsToldMax);
    return denied.flatMap(({ tool_name: tool, tool_input: input }) =>
      progress(`not allowed: ${toolCall(tool, input)}`),
    );
  }

  private failure(result: Json): Failed {
    const { sessionId } = this;
    const statusCode = statusOf(result['api_error_status']);
    const [error] = Array.isArray(result['errors']) ? (result['errors'] as unknown[]) : [];
    const said = textOf(result['result']) ?? textOf(error) ?? textOf(result['subtype']);
    if (unknownSession.test(said ?? '')) {
      return this.unknownSession(`Claude Code gave up: ${said ?? ''}`);
    }
    const isHopelessEnd =
      hopelessEnds.includes(String(textOf(result['terminal_reason']))) || isHopeless(statusCode);
    return {
      ...failed(`Claude Code gave up: ${said ?? 'no reason was told'}`, !isHopelessEnd, sessionId),
      ...(statusCode === undefined ? {} : { statusCode }),
    };
  }

  private success(result: Json): Completed {
    const { sessionId, used } = this;
    const models = used ?? modelsOf(objectOf(result['modelUsage']) ?? {});
    const dollars = used?.map(({ costUSD }) => costUSD ?? 0) ?? [result['total_cost_usd']];
    return {
      is: 'completed',
      result: clipped(textOf(result['result']) ?? '', limits.promptCharactersMax),
      sessionId,
      tokens: tokensOf(models),
      costNanoUsd: costOf(dollars),
      covers: used === undefined && this.isResumed ? 'session' : 'run',
    };
  }
}

/** A tool's result, or something that it says; what subagents do is part of a step. */
function endsStep({ type, message, parent_tool_use_id: parent }: Json): boolean {
  if (typeof parent === 'string') return false;
  if (type === 'user') return true;
  const content = objectsOf(objectOf(message)?.['content']);
  return type === 'assistant' && content.some((part) => part['type'] === 'text');
}

function modelsOf(usage: Json): Json[] {
  return Object.values(usage).map((model) => objectOf(model) ?? {});
}

function tokensOf(models: readonly Json[]): Tokens | null {
  const all = (kind: string) => sumOf(models.map((model) => model[kind]));
  const [input, output] = [all('inputTokens'), all('outputTokens')];
  const [cacheRead, cacheCreation] = [all('cacheReadInputTokens'), all('cacheCreationInputTokens')];
  if (input === undefined || output === undefined) return null;
  if (cacheRead === undefined || cacheCreation === undefined) return null;
  return { input, output, cacheRead, cacheCreation, reasoning: null };
}

function costOf(dollars: readonly unknown[]): number | null {
  const sum = dollars.reduce<number>(
    (all, amount) => all + (typeof amount === 'number' ? amount : NaN),
    0,
  );
  return nanoUsdFromDollars(sum) ?? null;
}

function assistant({ message, parent_tool_use_id: parent }: Json): News[] {
  const isSubagent = typeof parent === 'string';
  return objectsOf(objectOf(message)?.['content']).flatMap(
    ({ type, text, name, input }): News[] => {
      if (type === 'text') return isSubagent ? progress(textOf(text) ?? '') : said(textOf(text));
      if (type !== 'tool_use') return [];
      const todos = name === 'TodoWrite' ? objectsOf(objectOf(input)?.['todos']) : [];
      if (todos.length === 0)
        return progress(`${isSubagent ? '(subagent) ' : ''}${toolCall(name, input)}`);
      const current = todos.find(({ status }) => status === 'in_progress') ?? todos.at(-1);
      const what = textOf(current?.['activeForm']) ?? textOf(current?.['content']) ?? '';
      return progress(
        `plan: ${what}`,
        percentOf(todos, ({ status }) => status === 'completed'),
      );
    },
  );
}

function toolFailures({ message }: Json): News[] {
  return objectsOf(objectOf(message)?.['content'])
    .filter(({ is_error: isError }) => isError === true)
    .flatMap(({ content }) =>
      progress(`a tool failed: ${textOf(content) ?? 'no reason was told'}`),
    );
}

function compaction(metadata: Json | undefined): News[] {
  const [before, after] = [sumOf([metadata?.['pre_tokens']]), sumOf([metadata?.['post_tokens']])];
  return progress(`compacted its context from ${before ?? '?'} to ${after ?? '?'} tokens`);
}
