import { booleanOf, countOf, eventIdOf, identifierOf } from './attributes.translate.js';
import type { Clock } from './attributes.translate.js';
import { translateLogs } from './claude-code-logs.translate.js';
import { translateMetrics } from './claude-code-metrics.translate.js';
import { AGENT, modelOf, reportOf, requestOf } from './claude-code-record.translate.js';
import type { Span } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import { clientVersionOf, draftOf, translatorOf } from './translator.translate.js';

/**
 * Claude Code's telemetry as events, after what 2.1.329 was seen to send; attributes that older
 * versions lack are optional. Content (prompts, answers, tool input and output) leaves only as a
 * draft's `content`.
 */
export const claudeCode = translatorOf({
  agent: AGENT,
  serviceNames: ['claude-code'],
  logs: translateLogs,
  metrics: translateMetrics,
  traces: translateSpans,
});

const PREFIX = 'claude_code.';
const LLM_REQUEST = 'llm_request';

/** Logs tell what these tell, except how often a request was tried. */
const noise = new Set([
  LLM_REQUEST,
  'hook',
  'interaction',
  'tool',
  'tool.blocked_on_user',
  'tool.execution',
]);

function translateSpans(spans: readonly Span[], clock: Clock, outcome: Outcome): void {
  for (const span of spans) {
    const name = span.name.startsWith(PREFIX) ? span.name.slice(PREFIX.length) : span.name;
    const { attempt } = span.attributes;
    // An attempt that was not told was the only one.
    const attempts = countOf(attempt ?? 1);
    if (name === LLM_REQUEST && attempts === null) {
      outcome.reject(`${span.name}: attempt is not a whole number from 0 up.`);
    } else if (name === LLM_REQUEST && attempts !== null && attempts > 1) {
      requestRetried(span, attempts, clock, outcome);
    } else if (noise.has(name)) {
      outcome.ignore(name);
    } else {
      outcome.keepUnrecognised({
        name: span.name,
        clientVersion: clientVersionOf(span.origin) ?? '',
        record: { attributes: span.attributes },
        occurredAt: clock.occurredAt(span.endTimeUnixNano),
      });
    }
  }
}

/** A 429 or 529 that later succeeds shows in no other signal. */
function requestRetried(span: Span, attempts: number, clock: Clock, outcome: Outcome): void {
  const report = reportOf('traces', span, span.endTimeUnixNano, clock);
  const { attributes, session, provider } = report;
  const request = requestOf(attributes);
  const key = request.requestId ?? `${span.traceId}/${span.spanId}`;
  outcome.drafts.push(
    draftOf(
      report,
      'RequestRetried',
      eventIdOf('retried', AGENT, session.sessionId, key, attempts),
      {
        ...session,
        ...request,
        provider,
        model: modelOf(attributes),
        attempts,
        succeeded: booleanOf(attributes['success']) ?? false,
        errorClass: identifierOf(attributes['error_class']),
        durationMs: countOf(attributes['duration_ms']),
      },
    ),
  );
}
