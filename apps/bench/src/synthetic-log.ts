import { v5 as uuidv5 } from 'uuid';
import type { NewEvent } from '#kernel/event.js';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { sessionStream } from '#eventstore/vocabulary/session.events.js';

const namespace = 'a2f0ce5c-6f0d-4f4e-8f6a-6d6a6c2f1f4b';
const eventsPerSession = 500;
const eventsPerAppend = 50;
const firstRequestAt = Date.parse('2026-01-01T00:00:00Z');

/** A log of sessions at work: of five events one prompt, two requests, one tool decision and its end. */
export async function writeSyntheticLog(file: string, events: number): Promise<void> {
  const log = SqliteLog.open(file);
  for (let from = 0; from < events; from += eventsPerAppend) {
    const sessionId = uuidv5(`session ${Math.floor(from / eventsPerSession)}`, namespace);
    const count = Math.min(eventsPerAppend, events - from);
    const batch = Array.from({ length: count }, (_, index) => eventOf(sessionId, from + index));
    await log.append(sessionStream('claude-code', sessionId), 'any', batch);
  }
  await log.close();
}

function eventOf(sessionId: string, index: number): NewEvent {
  const session = { sessionId, agent: 'claude-code' };
  const ids = { requestId: `req_${index}`, promptId: `prompt_${Math.floor(index / 5)}` };
  const event = (type: string, data: object): NewEvent => ({
    id: uuidv5(`event ${index}`, namespace),
    type,
    data: { ...session, ...data },
    metadata: {
      actor: 'agent:claude-code',
      source: 'claude-code/2.1.329 logs',
      occurredAt: new Date(firstRequestAt + index * 700).toISOString(),
    },
  });
  switch (index % 5) {
    case 0:
      return event('PromptSubmitted', { promptId: ids.promptId, promptCharacters: 120 });
    case 1:
      return event('ToolDecided', {
        ...ids,
        toolUseId: `toolu_${index}`,
        toolName: 'Bash',
        decision: 'accept',
        decidedBy: 'config',
      });
    case 2:
      return event('ToolFinished', {
        ...ids,
        toolUseId: `toolu_${index - 1}`,
        toolName: 'Bash',
        succeeded: true,
        inputBytes: 75,
        resultBytes: 1_024,
        durationMs: 46,
      });
    default:
      return event('UsageRecorded', {
        ...ids,
        thread: 'main',
        provider: 'firstParty',
        model: 'claude-sonnet-4-5-20250929',
        tier: null,
        inputTokens: 12,
        outputTokens: 28 + (index % 100),
        cacheReadTokens: 14_000,
        cacheCreationTokens: 3_200,
        cacheCreation1hTokens: 0,
        reasoningTokens: null,
        costNanoUsd: 16_656_000 + index,
        costOrigin: 'reported',
        computedNanoUsd: null,
        priceVersion: null,
        durationMs: 189,
        timeToFirstTokenMs: 138,
      });
  }
}
