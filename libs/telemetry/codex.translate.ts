import type { Clock } from './attributes.translate.js';
import { translateLogs } from './codex-logs.translate.js';
import { knownMetrics } from './codex-metrics.translate.js';
import { AGENT } from './codex-record.translate.js';
import type { MetricPoint } from './otlp.records.js';
import type { Outcome } from './outcome.translate.js';
import { clientVersionOf, translatorOf } from './translator.translate.js';

/**
 * The name of the program that Codex runs in: `codex exec`, its terminal interface (earlier and now),
 * the editor extension, the TypeScript SDK and the desktop app. Only the first was recorded.
 */
const serviceNames = [
  'codex_exec',
  'codex_cli_rs',
  'codex-tui',
  'codex_vscode',
  'codex_sdk_ts',
  'Codex Desktop',
];

/**
 * Codex's telemetry as events, after what 0.169.0 was seen to send. All of it comes from log records.
 * Metrics name no session, nor do most spans, and neither tells anything of one that logs do not.
 */
export const codex = translatorOf({
  agent: AGENT,
  serviceNames,
  logs: translateLogs,
  metrics: ignoreMetrics,
  traces: (spans, _clock, outcome) => {
    // Functions of the program, hundreds in a turn and others in each version: one name for all.
    outcome.ignore('span', spans.length);
  },
});

function ignoreMetrics(points: readonly MetricPoint[], clock: Clock, outcome: Outcome): void {
  for (const { name, origin, timeUnixNano, ...record } of points) {
    if (knownMetrics.has(name)) {
      outcome.ignore(name.slice('codex.'.length));
    } else {
      const { unit, kind, temporality, value, attributes } = record;
      outcome.keepUnrecognised({
        name,
        clientVersion: clientVersionOf(origin) ?? '',
        record: { unit, kind, temporality, value, attributes },
        occurredAt: clock.occurredAt(timeUnixNano),
      });
    }
  }
}
