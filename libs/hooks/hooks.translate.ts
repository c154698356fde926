import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import type { HookBody } from './hooks.shapes.js';

/** What agents mean by their hooks, and how they are told to stop. deployment/HOOKS.md has it measured. */

export type Meaning =
  | 'session-began'
  | 'prompt'
  | 'tool'
  | 'turn-ended'
  | 'turn-failed'
  | 'compaction'
  | 'session-ended'
  /** Known, and of no use. */
  | 'nothing';

interface Dialect {
  readonly meanings: Readonly<Record<string, Meaning>>;
  /** What makes the agent stop and show the reason. */
  stop(before: Stopping, reason: string): object;
}

export type Stopping = 'prompt' | 'tool';

/** Its tool would still run if the turn alone were stopped, and the turn go on if the tool alone were. */
const claudeCode: Dialect = {
  meanings: {
    SessionStart: 'session-began',
    UserPromptSubmit: 'prompt',
    PreToolUse: 'tool',
    Stop: 'turn-ended',
    StopFailure: 'turn-failed',
    PreCompact: 'compaction',
    SessionEnd: 'session-ended',
    PostToolUse: 'nothing',
    PostToolUseFailure: 'nothing',
    PostCompact: 'nothing',
    SubagentStart: 'nothing',
    SubagentStop: 'nothing',
    Notification: 'nothing',
    PermissionRequest: 'nothing',
  },
  stop: (before, reason) => ({
    continue: false,
    stopReason: reason,
    ...(before === 'tool' && { hookSpecificOutput: denied(reason) }),
  }),
};

/** It knows no way to end the turn before a tool: its next tool is denied, too. */
const codex: Dialect = {
  meanings: {
    SessionStart: 'session-began',
    UserPromptSubmit: 'prompt',
    PreToolUse: 'tool',
    Stop: 'turn-ended',
    PreCompact: 'compaction',
    SessionEnd: 'session-ended',
    PostToolUse: 'nothing',
    PostCompact: 'nothing',
    PermissionRequest: 'nothing',
  },
  stop: (before, reason) =>
    before === 'tool'
      ? { hookSpecificOutput: denied(reason) }
      : { continue: false, stopReason: reason },
};

const gemini: Dialect = {
  meanings: {
    SessionStart: 'session-began',
    BeforeAgent: 'prompt',
    BeforeTool: 'tool',
    AfterAgent: 'turn-ended',
    SessionEnd: 'session-ended',
    // Told before every request, whether anything is compressed or not.
    PreCompress: 'nothing',
    BeforeModel: 'nothing',
    AfterModel: 'nothing',
    AfterTool: 'nothing',
    Notification: 'nothing',
  },
  stop: (_before, reason) => ({ continue: false, stopReason: reason }),
};

const dialects: Readonly<Record<AgentName, Dialect>> = { 'claude-code': claudeCode, codex, gemini };

function denied(reason: string): object {
  return {
    hookEventName: 'PreToolUse',
    permissionDecision: 'deny',
    permissionDecisionReason: reason,
  };
}

/** Undefined for a hook that nobody here has heard of. */
export function meaningOf(agent: AgentName, name: string): Meaning | undefined {
  const { meanings } = dialects[agent];
  return Object.hasOwn(meanings, name) ? meanings[name] : undefined;
}

export function stopAnswer(agent: AgentName, before: Stopping, reason: string): object {
  return dialects[agent].stop(before, reason);
}

/** An event without its envelope. */
export type HookFact = {
  [Type in HookType]: Pick<Extract<DomainEvent, { type: Type }>, 'type' | 'data'>;
}[HookType];
type HookType =
  | 'AgentProcessSeen'
  | 'TurnBegan'
  | 'TurnEnded'
  | 'AgentStopped'
  | 'CompactionBegan'
  | 'SessionEnded';

/** What an agent that may go on tells by this; undefined where that is nothing. */
export function factOf(
  agent: AgentName,
  meaning: Exclude<Meaning, 'session-began'>,
  body: HookBody,
): HookFact | undefined {
  const session = { sessionId: body.session_id, agent };
  const turn = turnOf(agent, body);
  switch (meaning) {
    case 'prompt':
      return { type: 'TurnBegan', data: turn };
    case 'turn-ended':
      return { type: 'TurnEnded', data: { ...turn, succeeded: true } };
    case 'turn-failed': {
      const error = body.error ?? undefined;
      return {
        type: 'TurnEnded',
        data: { ...turn, succeeded: false, ...(error !== undefined && { error }) },
      };
    }
    case 'compaction':
      return { type: 'CompactionBegan', data: { ...turn, trigger: body.trigger ?? null } };
    case 'session-ended':
      return { type: 'SessionEnded', data: { ...session, reason: body.reason ?? null } };
    case 'tool':
    case 'nothing':
      return undefined;
  }
}

export function stoppedFact(
  agent: AgentName,
  before: Stopping,
  reason: string,
  body: HookBody,
): HookFact {
  const told = reason.slice(0, limits.freeTextCharactersMax);
  return { type: 'AgentStopped', data: { ...turnOf(agent, body), before, reason: told } };
}

/** @param found what of the process was believed. */
export function processFact(
  agent: AgentName,
  found: { readonly host: string | null; readonly pid: number; readonly startMark: string } | null,
  body: HookBody,
): HookFact {
  return {
    type: 'AgentProcessSeen',
    data: {
      sessionId: body.session_id,
      agent,
      host: found?.host ?? body.tri_agent?.host ?? null,
      pid: found?.pid ?? null,
      startMark: found?.startMark ?? null,
      directory: body.cwd?.slice(0, limits.freeTextCharactersMax) ?? null,
      startType: body.source ?? null,
    },
  };
}

function turnOf(agent: AgentName, body: HookBody) {
  const promptId = body.prompt_id ?? body.turn_id ?? undefined;
  return { sessionId: body.session_id, agent, ...(promptId !== undefined && { promptId }) };
}
