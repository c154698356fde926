import type { Clock } from './attributes.translate.js';
import { translateLogs } from './gemini-logs.translate.js';
import { translateMetrics } from './gemini-metrics.translate.js';
import { AGENT, CLIENT_VERSION } from './gemini-record.translate.js';
import type { Span } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import { translatorOf } from './translator.translate.js';

/**
 * Gemini CLI's telemetry as events, after what 0.61.0 was seen to send and, for what a recording does
 * not show (compression, subagents, lines, retries of bad content), after its documentation. It never
 * tells a cost. Content (prompts, tool arguments) leaves only as a draft's `content`.
 */
export const gemini = translatorOf({
  agent: AGENT,
  serviceNames: ['gemini-cli'],
  logs: translateLogs,
  metrics: translateMetrics,
  traces: ignoreSpans,
});

/** Logs tell what these tell: each attempt of a request has a span and a record of its own. */
const noise = new Set([
  'agent_call',
  'llm_call',
  'schedule_tool_calls',
  'system_prompt',
  'tool_call',
  'user_prompt',
]);

function ignoreSpans(spans: readonly Span[], clock: Clock, outcome: Outcome): void {
  for (const { name, attributes, endTimeUnixNano } of spans) {
    if (noise.has(name)) {
      outcome.ignore(name);
    } else {
      outcome.keepUnrecognised({
        name,
        clientVersion: CLIENT_VERSION,
        record: { attributes },
        occurredAt: clock.occurredAt(endTimeUnixNano),
      });
    }
  }
}
