import { limits } from '#kernel/limits.js';
import type { Values, Warning } from './agent.js';

/** Milliseconds between exports, by the names that OpenTelemetry's SDKs share. */
const delays = [
  'OTEL_LOGS_EXPORT_INTERVAL',
  'OTEL_METRIC_EXPORT_INTERVAL',
  'OTEL_BLRP_SCHEDULE_DELAY',
];

/** Variables that hold telemetry back for so long that what is shown is no longer now. */
export function late(environment: Values): Warning[] {
  return delays
    .filter((name) => Number(environment[name]) > limits.exportDelayMs)
    .map((name) => ({
      what: `${name}=${String(environment[name])} milliseconds lets telemetry arrive late.`,
      fix: `Unset it, or make it ${limits.exportDelayMs} or less.`,
    }));
}
