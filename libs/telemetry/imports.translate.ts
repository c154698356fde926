import { statedKeyOf, type StatedRequest } from '#eventstore/vocabulary/usage.events.js';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
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

/** Why it cannot be what it claims to be, in words; undefined when it can. */
export function faultOfFact(fact: Fact, clock: Clock): string | undefined {
  const occurredAt = fact.kind === 'totals' ? fact.statedAt : fact.occurredAt;
  return clock.mayBe(occurredAt) ? undefined : `it cannot have happened at ${occurredAt}`;
}

/** What is no usage, as an event of its own. */
export function draftOfFact(fact: Exclude<Fact, UsageFact>): Draft {
  const { kind, agent, sessionId } = fact;
  const session = { sessionId, agent };
  switch (kind) {
    case 'totals': {
      const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = fact;
      const tokens = { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens };
      const stated = [...Object.values(tokens), fact.costUsd];
      const id = eventIdOf('transcript-totals', agent, sessionId, ...stated);
      return draftOf(reportOf(session, fact.statedAt), 'SessionTotalsStated', id, {
        ...session,
        ...tokens,
        costNanoUsd: fact.costUsd === null ? null : nanoUsdOf(fact.costUsd),
      });
    }
    case 'compaction':
      return draftOf(
        reportOf(session, fact.occurredAt),
        'ContextCompacted',
        eventIdOf('transcript-compaction', agent, sessionId, fact.key),
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

/** A fact as a file's statement has it, before the price book has been looked at. */
export function statedRequestOf(fact: UsageFact): StatedRequest {
  const { agent, key, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = fact;
  return {
    key,
    requestId: fact.requestId,
    occurredAt: fact.occurredAt,
    project: fact.project,
    thread: fact.thread,
    subagentId: fact.subagentId,
    provider: fact.provider ?? providers[agent],
    model: fact.model,
    tier: fact.tier,
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheCreationTokens,
    cacheCreation1hTokens: fact.cacheCreation1hTokens,
    reasoningTokens: fact.reasoningTokens,
    ...reportedCost(fact.costUsd === undefined ? null : nanoUsdOf(fact.costUsd)),
  };
}

/** What a file states of a session: at least one request. */
export function statementOf(
  session: Session,
  requests: readonly StatedRequest[],
  clientVersion: string | undefined,
  id = statementIdOf(session, requests),
): Draft {
  const latest = requests.reduce(
    (last, { occurredAt }) => (occurredAt > last ? occurredAt : last),
    '',
  );
  return draftOf(reportOf(session, latest, clientVersion), 'UsageStated', id, {
    ...session,
    requests: [...requests],
  });
}

function statementIdOf({ agent, sessionId }: Session, requests: readonly StatedRequest[]): string {
  const keys = requests.map((it) => statedKeyOf(agent, it));
  return eventIdOf('transcript-usage', agent, sessionId, ...keys);
}

export type Session = Pick<Fact, 'sessionId' | 'agent'>;

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
