import { z } from 'zod';
import { limits } from '#kernel/limits.js';

/** What is known of the telemetry itself. Stream: `telemetry-<agent>`. */

/** A name that no translator knows: kept once per agent, name and client version. */
const TelemetryUnrecognised = z.strictObject({
  agent: z.string().min(1).max(limits.identifierCharactersMax),
  signal: z.enum(['logs', 'metrics', 'traces']),
  name: z.string().min(1).max(limits.identifierCharactersMax),
  clientVersion: z.string().max(limits.identifierCharactersMax),
  /** JSON of the first record seen, redacted and cut. */
  sample: z.string().max(limits.unrecognisedSampleBytesMax),
});

export const telemetryEvents = {
  TelemetryUnrecognised: { version: 1, schema: TelemetryUnrecognised },
} as const;

export function telemetryStream(agent: string): string {
  return `telemetry-${agent}`;
}
