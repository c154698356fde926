import {
  booleanOf,
  countOf,
  freeTextOf,
  identifierOf,
  isAbsent,
  textOf,
  tokensOf,
} from './attributes.translate.js';
import type { Clock } from './attributes.translate.js';
import { CLIENT_VERSION, idOf, PREFIX, reportOf } from './gemini-record.translate.js';
import type { Report } from './gemini-record.translate.js';
import { tokensApart } from './gemini-tokens.translate.js';
import type { Attributes, LogRecord } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import type { Draft } from './translation.js';
import { draftOf, reportedCost } from './translator.translate.js';

/** Log records: what was asked, spent and done. The one source of spend. */
export function translateLogs(records: readonly LogRecord[], clock: Clock, outcome: Outcome): void {
  for (const record of records) {
    const name = nameOf(record);
    const translate = translations.get(name);
    if (translate !== undefined) {
      const result = translate(reportOf('logs', record, record.timeUnixNano, clock));
      if (typeof result === 'string') outcome.reject(`${name}: ${result}.`);
      else outcome.drafts.push(...[result].flat());
    } else if (noise.has(name)) {
      outcome.ignore(name);
    } else {
      outcome.keepUnrecognised({
        name,
        clientVersion: CLIENT_VERSION,
        record: { body: record.body, attributes: record.attributes },
        occurredAt: clock.occurredAt(record.timeUnixNano, record.attributes['event.timestamp']),
      });
    }
  }
}

function nameOf({ attributes, eventName }: LogRecord): string {
  const name = textOf(attributes['event.name']) ?? eventName;
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

/** Start-up, housekeeping, and what other events tell better. */
const noise = new Set([
  'agent.start',
  'api_request',
  'approval_mode_duration',
  'approval_mode_switch',
  'chat.content_retry',
  'chat.invalid_chunk',
  'conversation_finished',
  'edit_correction',
  'edit_strategy',
  'end_session',
  'extension_disable',
  'extension_enable',
  'extension_install',
  'extension_uninstall',
  'extension_update',
  'file_operation',
  'flash_fallback',
  // The twin of api_request, api_response and api_error, in the words of the GenAI conventions.
  'gen_ai.client.inference.operation.details',
  'ide_connection',
  'kitty_sequence_overflow',
  'loop_detected',
  'malformed_json_response',
  'model_routing',
  'network_retry_attempt',
  'next_speaker_check',
  'plan.approval_mode_duration',
  'plan.approval_mode_switch',
  'plan_execution',
  'ripgrep_fallback',
  'slash_command',
  'slash_command.model',
  'startup_stats',
  'tool_output_truncated',
  'web_fetch_fallback_attempt',
]);

/** Events, or in words why the record is not what it claims to be. */
type Translate = (report: Report) => Draft | readonly Draft[] | string;

const translations: ReadonlyMap<string, Translate> = new Map<string, Translate>(
  Object.entries({
    config: sessionStarted,
    user_prompt: promptSubmitted,
    api_response: usageRecorded,
    api_error: requestFailed,
    'chat.content_retry_failure': retriesExhausted,
    chat_compression: contextCompacted,
    tool_call: toolCalled,
    'agent.finish': subagentFinished,
  }),
);

/** The resource attribute that holds the command line. */
const COMMAND_LINE = 'process.command_args';

/** Sent once by each run of the client: only the command line tells whether it went on with a session. */
function sessionStarted(report: Report): Draft {
  const words = report.resource[COMMAND_LINE];
  const resumes = (word: unknown) =>
    word === '-r' || (typeof word === 'string' && /^--resume(=|$)/.test(word));
  return draftOf(report, 'SessionStarted', idOf(report, 'started'), {
    ...report.session,
    ...report.attribution,
    startType: Array.isArray(words) && words.some(resumes) ? 'resume' : 'fresh',
  });
}

/** Without a terminal the client puts the session's id here, which names no prompt. */
function promptOf({ attributes, session }: Report) {
  const promptId = identifierOf(attributes['prompt_id']);
  return { promptId: promptId === session.sessionId ? undefined : promptId };
}

function promptSubmitted(report: Report): Draft {
  const { attributes, session, attribution } = report;
  return draftOf(
    report,
    'PromptSubmitted',
    idOf(report, 'prompt'),
    {
      ...session,
      ...promptOf(report),
      ...attribution,
      promptCharacters: countOf(attributes['prompt_length']),
    },
    textOf(attributes['prompt']),
  );
}

function usageRecorded(report: Report): Draft | string {
  const { attributes, session, attribution, provider, model } = report;
  if (isAbsent(attributes['input_token_count']) && isAbsent(attributes['output_token_count'])) {
    return 'it has neither input_token_count nor output_token_count';
  }
  const tokens = tokensUsed(attributes);
  if (tokens === undefined) return 'a number of tokens is not a whole number from 0 up';
  return draftOf(report, 'UsageRecorded', idOf(report, 'usage'), {
    ...session,
    ...promptOf(report),
    ...attribution,
    ...threadOf(attributes),
    provider,
    model,
    tier: null,
    ...tokens,
    cacheCreationTokens: 0,
    cacheCreation1hTokens: null,
    ...reportedCost(null),
    durationMs: countOf(attributes['duration_ms']),
    timeToFirstTokenMs: null,
  });
}

function tokensUsed(attributes: Attributes) {
  const input = tokensOf(attributes['input_token_count']);
  const cached = tokensOf(attributes['cached_content_token_count']);
  const tool = tokensOf(attributes['tool_token_count']);
  const output = tokensOf(attributes['output_token_count']);
  const thoughts = tokensOf(attributes['thoughts_token_count']);
  if (input === undefined || cached === undefined || tool === undefined) return undefined;
  if (output === undefined || thoughts === undefined) return undefined;
  const apart = tokensApart({ input, cached, tool, output, thoughts });
  const reasoningTokens = isAbsent(attributes['thoughts_token_count']) ? null : thoughts;
  return apart && { ...apart, reasoningTokens };
}

/** What sent the request: the conversation, a subagent, or a helper such as the model router. */
function threadOf(attributes: Attributes) {
  const role = textOf(attributes['role']) ?? 'main';
  switch (role) {
    case 'main':
    case 'subagent':
      return { thread: role } as const;
    case 'utility_compressor':
      return { thread: 'compaction' } as const;
    default:
      return { thread: 'auxiliary' } as const;
  }
}

/** Sent for each attempt that failed. Whether another one follows is not told. */
function requestFailed(report: Report): Draft {
  const { attributes, session, attribution, provider, model } = report;
  return draftOf(report, 'RequestFailed', idOf(report, 'failed'), {
    ...session,
    ...promptOf(report),
    ...attribution,
    ...threadOf(attributes),
    provider,
    model,
    statusCode: countOf(attributes['status_code']),
    error: freeTextOf(attributes['error'] ?? attributes['error.message']),
    attempt: null,
    durationMs: countOf(attributes['duration_ms']),
  });
}

function retriesExhausted(report: Report): Draft | string {
  const { attributes, session, provider, model } = report;
  const attempts = countOf(attributes['total_attempts']);
  if (attempts === null) return 'total_attempts is not a whole number from 0 up';
  return draftOf(report, 'RetriesExhausted', idOf(report, 'exhausted'), {
    ...session,
    provider,
    model,
    statusCode: null,
    error: freeTextOf(attributes['final_error_type']),
    attempts,
    durationMs: countOf(attributes['total_duration_ms']),
  });
}

/** The client also sends it when the summary came out longer than the chat, and is then not used. */
function contextCompacted(report: Report): Draft | string {
  const { attributes, session } = report;
  const preTokens = countOf(attributes['tokens_before']);
  const postTokens = countOf(attributes['tokens_after']);
  if (preTokens === null || postTokens === null) {
    return 'tokens_before or tokens_after is not a whole number from 0 up';
  }
  return draftOf(report, 'ContextCompacted', idOf(report, 'compacted'), {
    ...session,
    // Whether someone asked for it is not told; without a terminal nobody can.
    trigger: 'auto',
    succeeded: postTokens <= preTokens,
    preTokens,
    postTokens,
    durationMs: null,
  });
}

const decisions: ReadonlyMap<unknown, 'accept' | 'reject'> = new Map([
  ['accept', 'accept'],
  ['auto_accept', 'accept'],
  ['modify', 'accept'],
  ['reject', 'reject'],
]);

/** One record for both: what was decided about a call, where it was asked, and how it ended. */
function toolCalled(report: Report): readonly Draft[] | string {
  const { attributes, session } = report;
  const toolName = identifierOf(attributes['function_name']);
  const decision = decisions.get(attributes['decision']);
  const succeeded = booleanOf(attributes['success']);
  if (toolName === undefined) return 'function_name is missing or too long';
  if (succeeded === undefined) return 'success is neither true nor false';
  const id = idOf(report, 'finished');
  // The record does not name the call, so it has the id of its event.
  const call = { ...session, ...promptOf(report), toolUseId: id, toolName };
  const result = {
    ...call,
    succeeded,
    errorType: identifierOf(attributes['error_type']),
    inputBytes: null,
    resultBytes: countOf(attributes['content_length']),
    durationMs: countOf(attributes['duration_ms']),
  };
  const finished = draftOf(report, 'ToolFinished', id, result, toolContentOf(attributes));
  if (decision === undefined) return [finished];
  const verdict = { ...call, decision, decidedBy: 'unknown' };
  return [draftOf(report, 'ToolDecided', idOf(report, 'decided'), verdict), finished];
}

/** One paragraph for each part that the client was told to include. */
function toolContentOf(attributes: Attributes): string | undefined {
  const parts = ['function_args', 'error'].flatMap((key) => {
    const content = textOf(attributes[key]);
    return content === undefined ? [] : [`${key}: ${content}`];
  });
  return parts.length === 0 ? undefined : parts.join('\n\n');
}

function subagentFinished(report: Report): Draft {
  const { attributes, session } = report;
  const id = idOf(report, 'subagent');
  return draftOf(report, 'SubagentFinished', id, {
    ...session,
    subagentId: identifierOf(attributes['agent_id']) ?? id,
    subagentType: identifierOf(attributes['agent_name']) ?? 'unknown',
    background: false,
    totalTokens: null,
    toolUses: null,
    durationMs: countOf(attributes['duration_ms']),
  });
}
