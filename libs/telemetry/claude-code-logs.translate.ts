import { nanoUsdFromDollars } from '#kernel/money.js';
import {
  booleanOf,
  countOf,
  freeTextOf,
  identifierOf,
  isAbsent,
  numberOf,
  tokensOf,
  usageIdOf,
} from './attributes.translate.js';
import type { Clock } from './attributes.translate.js';
import {
  AGENT,
  contentOf,
  idOf,
  modelOf,
  nameOf,
  promptOf,
  reportOf,
  requestOf,
  threadOf,
  tierOf,
} from './claude-code-record.translate.js';
import type { Report } from './claude-code-record.translate.js';
import type { Attributes, LogRecord } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import type { Draft } from './translation.js';
import { clientVersionOf, draftOf, reportedCost } from './translator.translate.js';

/** Log records: what was said, asked, spent and done. The one source of spend. */
export function translateLogs(records: readonly LogRecord[], clock: Clock, outcome: Outcome): void {
  for (const record of records) {
    const name = nameOf(record);
    const translate = translations.get(name);
    if (translate !== undefined) {
      const report = reportOf('logs', record, record.timeUnixNano, clock);
      const result = translate(report);
      if (typeof result === 'string') outcome.reject(`${name}: ${result}.`);
      else outcome.drafts.push(result);
    } else if (noise.has(name)) {
      outcome.ignore(name);
    } else {
      outcome.keepUnrecognised({
        name,
        clientVersion: clientVersionOf(record.origin) ?? '',
        record: { body: record.body, attributes: record.attributes },
        occurredAt: clock.occurredAt(record.timeUnixNano, record.attributes['event.timestamp']),
      });
    }
  }
}

/** Start-up, housekeeping, and what other events tell better. */
const noise = new Set([
  'api_refusal',
  'api_request_body',
  'api_response_body',
  'at_mention',
  'auth',
  'feedback_survey',
  'hook_execution_complete',
  'hook_execution_start',
  'hook_plugin_metrics',
  'hook_registered',
  'internal_error',
  'managed_settings_resolved',
  'mcp_server_connection',
  'permission_mode_changed',
  'plugin_installed',
  'plugin_loaded',
  'retention_sweep',
  'skill_activated',
]);

/** An event, or in words why the record is not what it claims to be. */
type Translate = (report: Report) => Draft | string;

const translations: ReadonlyMap<string, Translate> = new Map(
  Object.entries({
    user_prompt: promptSubmitted,
    api_request: usageRecorded,
    api_error: requestFailed,
    api_retries_exhausted: retriesExhausted,
    assistant_response: answerReceived,
    tool_decision: toolDecided,
    tool_result: toolFinished,
    compaction: contextCompacted,
    subagent_completed: subagentFinished,
  }),
);

function promptSubmitted(report: Report): Draft {
  const { attributes, session, attribution } = report;
  const messageId = identifierOf(attributes['message.uuid']);
  return draftOf(
    report,
    'PromptSubmitted',
    idOf(report, 'prompt', messageId),
    {
      ...session,
      ...promptOf(attributes),
      messageId,
      ...attribution,
      command: identifierOf(attributes['command_name']),
      promptCharacters: countOf(attributes['prompt_length']),
    },
    contentOf(attributes['prompt']),
  );
}

function usageRecorded(report: Report): Draft | string {
  const { attributes, session, attribution, provider } = report;
  const inputTokens = tokensOf(attributes['input_tokens']);
  const outputTokens = tokensOf(attributes['output_tokens']);
  const cacheReadTokens = tokensOf(attributes['cache_read_tokens']);
  const cacheCreationTokens = tokensOf(attributes['cache_creation_tokens']);
  if (isAbsent(attributes['input_tokens']) && isAbsent(attributes['output_tokens'])) {
    return 'it has neither input_tokens nor output_tokens';
  }
  if (
    inputTokens === undefined ||
    outputTokens === undefined ||
    cacheReadTokens === undefined ||
    cacheCreationTokens === undefined
  ) {
    return 'a number of tokens is not a whole number from 0 up';
  }
  const request = requestOf(attributes);
  const id =
    request.requestId === undefined ? idOf(report, 'usage') : usageIdOf(AGENT, request.requestId);
  return draftOf(report, 'UsageRecorded', id, {
    ...session,
    ...request,
    ...attribution,
    ...threadOf(attributes),
    provider,
    model: modelOf(attributes),
    tier: tierOf(attributes),
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheCreationTokens,
    cacheCreation1hTokens: countOf(attributes['cache_creation_1h_tokens']),
    reasoningTokens: null,
    ...reportedCost(nanoUsdFromDollars(numberOf(attributes['cost_usd']) ?? NaN) ?? null),
    durationMs: countOf(attributes['duration_ms']),
    timeToFirstTokenMs: countOf(attributes['ttft_ms']),
  });
}

function requestFailed(report: Report): Draft {
  const { attributes, session, attribution, provider } = report;
  const request = requestOf(attributes);
  const attempt = countOf(attributes['attempt']);
  return draftOf(report, 'RequestFailed', idOf(report, 'failed', request.requestId, attempt), {
    ...session,
    ...request,
    ...attribution,
    ...threadOf(attributes),
    provider,
    model: modelOf(attributes),
    statusCode: countOf(attributes['status_code']),
    error: freeTextOf(attributes['error']),
    attempt,
    durationMs: countOf(attributes['duration_ms']),
  });
}

function retriesExhausted(report: Report): Draft | string {
  const { attributes, session, provider } = report;
  const attempts = countOf(attributes['total_attempts']);
  if (attempts === null) return 'total_attempts is not a whole number from 0 up';
  return draftOf(report, 'RetriesExhausted', idOf(report, 'exhausted'), {
    ...session,
    ...requestOf(attributes),
    provider,
    model: modelOf(attributes),
    statusCode: countOf(attributes['status_code']),
    error: freeTextOf(attributes['error']),
    attempts,
    durationMs: countOf(attributes['total_retry_duration_ms']),
  });
}

function answerReceived(report: Report): Draft {
  const { attributes, session } = report;
  const messageId = identifierOf(attributes['message.uuid']);
  return draftOf(
    report,
    'AnswerReceived',
    idOf(report, 'answer', messageId),
    {
      ...session,
      ...requestOf(attributes),
      messageId,
      ...threadOf(attributes),
      model: modelOf(attributes),
      answerCharacters: countOf(attributes['response_length']),
    },
    contentOf(attributes['response']),
  );
}

function toolDecided(report: Report): Draft | string {
  const { attributes, session } = report;
  const { decision } = attributes;
  const toolName = identifierOf(attributes['tool_name']);
  if (toolName === undefined) return 'tool_name is missing or too long';
  if (decision !== 'accept' && decision !== 'reject')
    return 'decision is neither accept nor reject';
  const toolUseId = identifierOf(attributes['tool_use_id']);
  const decidedBy = identifierOf(attributes['source']) ?? 'unknown';
  const id = idOf(report, 'decided', toolUseId, decision, decidedBy);
  return draftOf(report, 'ToolDecided', id, {
    ...session,
    ...requestOf(attributes),
    // Older clients do not name the call: then it has the id of its event.
    toolUseId: toolUseId ?? id,
    toolName,
    decision,
    decidedBy,
    permissionMode: identifierOf(attributes['permission_mode']),
  });
}

function toolFinished(report: Report): Draft | string {
  const { attributes, session } = report;
  const toolName = identifierOf(attributes['tool_name']);
  const succeeded = booleanOf(attributes['success']);
  if (toolName === undefined) return 'tool_name is missing or too long';
  if (succeeded === undefined) return 'success is neither true nor false';
  const toolUseId = identifierOf(attributes['tool_use_id']);
  const id = idOf(report, 'finished', toolUseId);
  return draftOf(
    report,
    'ToolFinished',
    id,
    {
      ...session,
      ...requestOf(attributes),
      toolUseId: toolUseId ?? id,
      toolName,
      succeeded,
      errorType: identifierOf(attributes['error_type']),
      inputBytes: countOf(attributes['tool_input_size_bytes']),
      resultBytes: countOf(attributes['tool_result_size_bytes']),
      durationMs: countOf(attributes['duration_ms']),
    },
    toolContentOf(attributes),
  );
}

/** One paragraph for each part that the client was told to include. */
function toolContentOf(attributes: Attributes): string | undefined {
  const parts = ['tool_parameters', 'tool_input', 'tool_output', 'error'].flatMap((key) => {
    const content = contentOf(attributes[key]);
    return content === undefined ? [] : [`${key}: ${content}`];
  });
  return parts.length === 0 ? undefined : parts.join('\n\n');
}

function contextCompacted(report: Report): Draft | string {
  const { attributes, session } = report;
  const { trigger } = attributes;
  const succeeded = booleanOf(attributes['success']);
  if (trigger !== 'auto' && trigger !== 'manual') return 'trigger is neither auto nor manual';
  if (succeeded === undefined) return 'success is neither true nor false';
  return draftOf(report, 'ContextCompacted', idOf(report, 'compacted'), {
    ...session,
    ...promptOf(attributes),
    trigger,
    succeeded,
    preTokens: countOf(attributes['pre_tokens']),
    postTokens: countOf(attributes['post_tokens']),
    durationMs: countOf(attributes['duration_ms']),
  });
}

function subagentFinished(report: Report): Draft {
  const { attributes, session, unixNano } = report;
  const subagentId = identifierOf(attributes['agent_id']);
  // One subagent can be sent on again and finish again.
  const id = idOf(report, 'subagent', subagentId, String(unixNano));
  return draftOf(report, 'SubagentFinished', id, {
    ...session,
    ...promptOf(attributes),
    subagentId: subagentId ?? id,
    subagentType: identifierOf(attributes['agent_type']) ?? 'unknown',
    model: identifierOf(attributes['final_model']) ?? identifierOf(attributes['model']),
    background: booleanOf(attributes['is_async']) ?? false,
    totalTokens: countOf(attributes['total_tokens']),
    toolUses: countOf(attributes['total_tool_uses']),
    durationMs: countOf(attributes['duration_ms']),
  });
}
