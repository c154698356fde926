import type { AgentName } from '#eventstore/vocabulary/session.events.js';
import { eventIdOf, type Clock } from './attributes.translate.js';
import type { Fact, UsageFact } from './imports.shapes.js';
import type { Draft } from './translation.js';
import { draftOf, reportedCost } from './translator.translate.js';

/** Who sells the model when the file does not say. Codex can be set to any; see its telemetry. */
const providers: Readonly<Record<AgentName, string>> = {
  'claude-code': 'anthropic',
  codex: 'unknown',
  gemini: 'google',
};

/** A fact as an event, or in words why it is not what it claims to be. */
export function draftOfFact(fact: Fact, clock: Clock): Draft | string {
  const occurredAt = fact.kind === 'totals' ? fact.statedAt : fact.occurredAt;
  if (!clock.mayBe(occurredAt)) return `it cannot have happened at ${occurredAt}`;
  const session = { sessionId: fact.sessionId, agent: fact.agent };
  const { kind, agent } = fact;
  switch (kind) {
    case 'usage':
      return usageRecorded(fact, session, occurredAt);
    case 'totals': {
      const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = fact;
      const tokens = { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens };
      const id = eventIdOf(
        'transcript-totals',
        agent,
        fact.sessionId,
        ...Object.values(tokens),
        fact.costUsd,
      );
      return draftOf(reportOf(session, occurredAt), 'SessionTotalsStated', id, {
        ...session,
        ...tokens,
        costNanoUsd: fact.costUsd === null ? null : nanoUsdOf(fact.costUsd),
      });
    }
    case 'compaction':
      return draftOf(
        reportOf(session, occurredAt),
        'ContextCompacted',
        eventIdOf('transcript-compaction', agent, fact.sessionId, fact.key),
        {
          ...session,
          // Whether someone asked for it is not told; without a terminal nobody can.
          trigger: 'auto',
          succeeded: true,
          preTokens: fact.preTokens,
          postTokens: fact.postTokens,
          durationMs: null,
        },
      );
  }
}

type Session = Pick<Fact, 'sessionId' | 'agent'>;

/**
 * The id is not the one that telemetry gives the same request: both are kept, and the read models
 * count one. Claude Code's holds the tokens, so that a line that was read too early can be said again:
 * its requests meet by their id. Where they meet by their tokens, what was said first stands.
 */
function usageRecorded(fact: UsageFact, session: Session, occurredAt: string): Draft {
  const { agent, key, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = fact;
  const { cacheCreation1hTokens } = fact;
  const tokens = [inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens];
  const stated = agent === 'claude-code' ? [...tokens, cacheCreation1hTokens] : [];
  const id = eventIdOf('transcript-usage', agent, key, ...stated);
  return draftOf(reportOf(session, occurredAt, fact.clientVersion), 'UsageRecorded', id, {
    ...session,
    requestId: fact.requestId,
    project: fact.project,
    thread: fact.thread,
    subagentId: fact.subagentId,
    source: 'transcript',
    provider: fact.provider ?? providers[agent],
    model: fact.model,
    tier: fact.tier,
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheCreationTokens,
    cacheCreation1hTokens,
    reasoningTokens: fact.reasoningTokens,
    ...reportedCost(fact.costUsd === undefined ? null : nanoUsdOf(fact.costUsd)),
    durationMs: null,
    timeToFirstTokenMs: null,
  });
}

const nobody = {
  taskId: undefined,
  attemptId: undefined,
  project: undefined,
  team: undefined,
  userId: undefined,
};

function reportOf(session: Session, occurredAt: string, clientVersion = 'unknown') {
  // Cut, for a source is a name, and a version may be as long as one.
  const source = `${session.agent}/${clientVersion.slice(0, 100)} transcript`;
  return { session, attribution: nobody, occurredAt, source };
}

/** Of dollars with nine digits after the point. */
function nanoUsdOf(costUsd: string): number {
  return Number(costUsd.replace('.', ''));
}
