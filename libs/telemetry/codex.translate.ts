import { Clock } from './attributes.translate.js';
import { translateLogs } from './codex-logs.translate.js';
import { knownMetrics } from './codex-metrics.translate.js';
import { AGENT, clientVersionOf } from './codex-record.translate.js';
import type { MetricPoint, Origin } from './otlp.records.js';
import { Outcome } from './outcome.translate.js';
import type { Translator } from './translation.js';

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
export const codex: Translator = {
  agent: AGENT,
  serviceNames,
  translate: (batch, receivedAt) => {
    const outcome = new Outcome();
    const clock = new Clock(receivedAt);
    switch (batch.signal) {
      case 'logs':
        translateLogs(batch.records.filter(isOwn), clock, outcome);
        break;
      case 'metrics':
        ignoreMetrics(batch.records.filter(isOwn), clock, outcome);
        break;
      case 'traces':
        // Functions of the program, hundreds in a turn and others in each version: one name for all.
        for (const span of batch.records) if (isOwn(span)) outcome.ignore('span');
        break;
    }
    return outcome;
  },
};

function isOwn({ origin }: { readonly origin: Origin }): boolean {
  const service = origin.resource['service.name'];
  return typeof service === 'string' && serviceNames.includes(service);
}

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
