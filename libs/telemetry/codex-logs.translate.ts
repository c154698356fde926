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
import { idOf, occurredAtOf, reportOf } from './codex-record.translate.js';
import type { Report, Result } from './codex-record.translate.js';
import { toolDecided, toolFinished } from './codex-tools.translate.js';
import type { AttributeValue, LogRecord } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import { clientVersionOf, draftOf, reportedCost } from './translator.translate.js';

/** Log records: what was said, asked, spent and done. The one source of spend. */
export function translateLogs(records: readonly LogRecord[], clock: Clock, outcome: Outcome): void {
  for (const record of records) {
    const name = nameOf(record);
    const result = resultOf(name, record, clock);
    if (result === undefined) {
      outcome.keepUnrecognised({
        name,
        clientVersion: clientVersionOf(record.origin) ?? '',
        record: { body: record.body, attributes: record.attributes },
        occurredAt: occurredAtOf(record, clock),
      });
    } else if ('draft' in result) outcome.drafts.push(result.draft);
    else if ('noise' in result) outcome.ignore(result.noise);
    else outcome.reject(`${name}: ${result.reason}.`);
  }
}

function nameOf({ attributes, eventName }: LogRecord): string {
  const name = textOf(attributes['event.name']) ?? eventName;
  return name.startsWith('codex.') ? name.slice('codex.'.length) : name;
}

function resultOf(name: string, record: LogRecord, clock: Clock): Result | undefined {
  const translate = translations.get(name);
  if (translate !== undefined) return translate(reportOf(record, clock));
  if (housekeeping.has(name)) return { noise: name };
  // The program's own log lines are named after their place in the source.
  const isLogLine = isAbsent(record.attributes['event.name']) && name.startsWith('event ');
  return isLogLine ? { noise: 'program_log' } : undefined;
}

/**
 * Start-up, waiting, and what other events tell better. `turn_cost` is the cost of a turn, and its
 * requests do not say which turn they were part of; `websocket_request` fails together with the
 * stream that it opened.
 */
const housekeeping = new Set([
  'auth_recovery',
  'network_proxy.domain_policy_decision',
  'network_proxy.policy_decision',
  'sandbox_outcome',
  'startup_phase',
  'turn_cost',
  'turn_ttft',
  'websocket_request',
]);

const translations: ReadonlyMap<string, (report: Report) => Result> = new Map(
  Object.entries({
    conversation_starts: sessionStarted,
    user_prompt: promptSubmitted,
    api_request: requestAnswered,
    websocket_connect: socketConnected,
    sse_event: streamed,
    websocket_event: streamed,
    agent_response: answerReceived,
    tool_decision: toolDecided,
    tool_result: toolFinished,
  }),
);

/** No record names the provider of its request. */
const PROVIDER = 'unknown';

/** A new thread has its first record milliseconds after its id was made. */
const FRESH_MS_MAX = 10_000;

function sessionStarted(report: Report): Result {
  const createdAtMs = timeInUuid(report.session.sessionId);
  const age = createdAtMs === undefined ? 0 : Date.parse(report.occurredAt) - createdAtMs;
  const draft = draftOf(report, 'SessionStarted', idOf(report, 'started'), {
    ...report.session,
    ...report.attribution,
    startType: age > FRESH_MS_MAX ? 'resume' : 'fresh',
    clientVersion: report.clientVersion,
  });
  return { draft };
}

/** The milliseconds since 1970 that a UUID of version 7 begins with, which a thread's id is. */
function timeInUuid(id: string): number | undefined {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(id) ?? [];
  return high === undefined || low === undefined ? undefined : parseInt(high + low, 16);
}

function promptSubmitted(report: Report): Result {
  const { attributes, session, attribution } = report;
  const draft = draftOf(
    report,
    'PromptSubmitted',
    idOf(report, 'prompt'),
    { ...session, ...attribution, promptCharacters: countOf(attributes['prompt_length']) },
    contentOf(attributes['prompt']),
  );
  return { draft };
}

/** One try of a request, over when its headers came; what it cost, the stream's end tells. */
function requestAnswered(report: Report): Result {
  const { attributes, session, model } = report;
  const status = countOf(attributes['http.response.status_code']);
  const attempts = ordinalOf(attributes['attempt']);
  if (attributes['endpoint'] === '/models') return { noise: 'api_request/other' };
  if (!isAbsent(attributes['error.message']) || status === null || status < 200 || status > 299) {
    return requestFailed(report);
  }
  if (attempts === null || attempts < 2) return { noise: 'api_request/ok' };
  const draft = draftOf(report, 'RequestRetried', idOf(report, 'retried'), {
    ...session,
    requestId: identifierOf(attributes['auth.request_id']),
    provider: PROVIDER,
    model,
    attempts,
    succeeded: true,
    durationMs: countOf(attributes['duration_ms']),
  });
  return { draft };
}

function socketConnected(report: Report): Result {
  const succeeded = booleanOf(report.attributes['success']);
  if (succeeded === undefined) return { reason: 'success is neither true nor false' };
  return succeeded ? { noise: 'websocket_connect/ok' } : requestFailed(report);
}

function requestFailed(report: Report): Result {
  const { attributes, session, attribution, model } = report;
  const draft = draftOf(report, 'RequestFailed', idOf(report, 'failed'), {
    ...session,
    requestId: identifierOf(attributes['auth.request_id']),
    ...attribution,
    thread: 'main',
    provider: PROVIDER,
    model,
    statusCode: countOf(attributes['http.response.status_code']),
    error: freeTextOf(attributes['error.message']),
    attempt: ordinalOf(attributes['attempt']),
    durationMs: countOf(attributes['duration_ms']),
  });
  return { draft };
}

/** Codex counts attempts from 0. Null when it does not tell. */
function ordinalOf(attempt: AttributeValue | undefined): number | null {
  const before = countOf(attempt);
  return before === null ? null : countOf(before + 1);
}

/**
 * A piece of a stream. Its end is told twice, once as the piece that it is (the twin) and once for
 * the request, then with tokens or with what went wrong. A piece that cannot be read is noise: if it
 * breaks the stream, the end says so.
 */
function streamed(report: Report): Result {
  const { attributes } = report;
  const isEnd = attributes['event.kind'] === 'response.completed';
  const hasFailed = !isAbsent(attributes['error.message']);
  if (!isAbsent(attributes['input_token_count'])) return usageRecorded(report);
  if (!isEnd) return { noise: hasFailed ? 'stream/fragment_failed' : 'stream/fragment' };
  return hasFailed ? requestFailed(report) : { noise: 'stream/twin' };
}

/** Codex counts cached tokens, read and written, as input too, and reasoning as output. */
function usageRecorded(report: Report): Result {
  const { attributes, session, attribution, model } = report;
  const allInputTokens = tokensOf(attributes['input_token_count']);
  const outputTokens = tokensOf(attributes['output_token_count']);
  const cacheReadTokens = tokensOf(attributes['cached_token_count']);
  const cacheCreationTokens = tokensOf(attributes['cache_write_token_count']);
  const reasoningTokens = countOf(attributes['reasoning_token_count']);
  if (
    allInputTokens === undefined ||
    outputTokens === undefined ||
    cacheReadTokens === undefined ||
    cacheCreationTokens === undefined
  ) {
    return { reason: 'a number of tokens is not a whole number from 0 up' };
  }
  const inputTokens = allInputTokens - cacheReadTokens - cacheCreationTokens;
  if (inputTokens < 0) return { reason: 'it has more cached tokens than input tokens' };
  const draft = draftOf(report, 'UsageRecorded', idOf(report, 'usage'), {
    ...session,
    ...attribution,
    thread: 'main',
    provider: PROVIDER,
    model,
    tier: null,
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheCreationTokens,
    cacheCreation1hTokens: null,
    reasoningTokens,
    ...reportedCost(null),
    durationMs: null,
    timeToFirstTokenMs: countOf(attributes['ttft_ms']),
  });
  return { draft };
}

function answerReceived(report: Report): Result {
  const { attributes, session, model } = report;
  const draft = draftOf(
    report,
    'AnswerReceived',
    idOf(report, 'answer'),
    {
      ...session,
      messageId: identifierOf(attributes['item.id']),
      thread: 'main',
      model,
      answerCharacters: countOf(attributes['response_length']),
    },
    contentOf(attributes['response']),
  );
  return { draft };
}

const withheld = '[REDACTED]';

/** Undefined when the client was told not to include it. */
function contentOf(value: AttributeValue | undefined): string | undefined {
  const text = textOf(value);
  return text === withheld ? undefined : text;
}
