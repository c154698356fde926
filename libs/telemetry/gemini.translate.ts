import { Clock } from './attributes.translate.js';
import { translateLogs } from './gemini-logs.translate.js';
import { translateMetrics } from './gemini-metrics.translate.js';
import { AGENT, CLIENT_VERSION } from './gemini-record.translate.js';
import type { Origin, Span } from './otlp.records.js';
import { Outcome } from './outcome.translate.js';
import type { Translator } from './translation.js';

const SERVICE_NAME = 'gemini-cli';

/**
 * Gemini CLI's telemetry as events, after what 0.61.0 was seen to send and, for what a recording does
 * not show (compression, subagents, lines, retries of bad content), after its documentation. It never
 * tells a cost. Content (prompts, tool arguments) leaves only as a draft's `content`.
 */
export const gemini: Translator = {
  agent: AGENT,
  serviceNames: [SERVICE_NAME],
  translate: (batch, receivedAt) => {
    const outcome = new Outcome();
    const clock = new Clock(receivedAt);
    switch (batch.signal) {
      case 'logs':
        translateLogs(batch.records.filter(isOwn), clock, outcome);
        break;
      case 'metrics':
        translateMetrics(batch.records.filter(isOwn), clock, outcome);
        break;
      case 'traces':
        ignoreSpans(batch.records.filter(isOwn), clock, outcome);
        break;
    }
    return outcome;
  },
};

function isOwn({ origin }: { readonly origin: Origin }): boolean {
  return origin.resource['service.name'] === SERVICE_NAME;
}

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
