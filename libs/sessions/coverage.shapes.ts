import { z } from 'zod';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { moment, nextCursor } from '#platform/api-shapes.js';
import { sessionsQuery } from './sessions.shapes.js';

/** How much of what the agents' own files say has reached us by telemetry. */

const tokens = z.strictObject({
  input: z.int(),
  output: z.int(),
  cacheRead: z.int(),
  cacheCreation: z.int(),
});
const amount = z.strictObject({
  requests: z.int(),
  tokens,
  costUsd: z.string().nullable().describe('null: used, and no price is known.'),
});
const share = z.number().min(0).max(1).nullable();

const coverage = {
  fromTranscript: z.boolean().describe('false: no file of it was imported, so nothing is known.'),
  both: amount.describe('Told by telemetry and by the transcript.'),
  onlyTranscript: amount.describe('Never reached us by telemetry; counted from the transcript.'),
  onlyTelemetry: amount.describe('Not in the transcript, such as the request of a compaction.'),
  share: z
    .strictObject({ requests: share, tokens: share, cost: share })
    .describe('Of what the transcript tells, the part that telemetry told as well; 0 to 1.'),
};

const gap = z.strictObject({
  occurredAt: moment,
  model: z.string(),
  tokens,
  costUsd: z.string().nullable(),
});

const statedTotals = z.strictObject({
  statedAt: moment,
  tokens,
  costUsd: z.string().nullable(),
  missing: z
    .strictObject({ tokens, costUsd: z.string().nullable() })
    .describe('What the file states beyond the requests that are known; negative: it states less.'),
});

const who = { sessionId: z.string(), agent: agentName };

export const sessionCoverage = z.strictObject({
  ...who,
  ...coverage,
  stated: statedTotals.nullable().describe("The session's totals as its file states them."),
  gaps: z.array(gap).describe('What only the transcript tells, the oldest first.'),
  moreGaps: z.int().describe('How many gaps beyond those listed.'),
});
export type SessionCoverage = z.infer<typeof sessionCoverage>;

export const coveragePage = z.strictObject({
  items: z.array(z.strictObject({ ...who, ...coverage })),
  nextCursor,
  total: z.strictObject(coverage).describe('Of all sessions of which a file was imported.'),
});
export type CoveragePage = z.infer<typeof coveragePage>;

export const coverageQuery = sessionsQuery.pick({
  agent: true,
  since: true,
  limit: true,
  cursor: true,
});
export type CoverageQuery = z.infer<typeof coverageQuery>;
