import { limits } from '#kernel/limits.js';

/** The words of dispatch, as the server knows them. `apps/tri-agent/test/dispatch-words.spec.ts` holds that they agree. */

export const lanes = ['critical', 'normal', 'background'] as const;
export const shards = ['impl', 'review', 'architect'] as const;
export const sizes = ['small', 'medium', 'large'] as const;
export const states = [
  'waiting',
  'ready',
  'delayed',
  'running',
  'paused',
  'completed',
  'cancelled',
  'parked',
] as const;

/** What people say, and what the server calls it. */
const agents = {
  claude: 'claude-code',
  'claude-code': 'claude-code',
  codex: 'codex',
  gemini: 'gemini',
  any: 'any',
} as const;
export type AgentWord = keyof typeof agents;
export const agentWords = Object.keys(agents) as readonly AgentWord[];

export function agentOf(word: AgentWord): (typeof agents)[AgentWord] {
  return agents[word];
}

export const scopeKinds = [
  'lane',
  'shard',
  'worker',
  'agent',
  'model',
  'account',
  'team',
  'project',
] as const;

/** What a gate stands before: `all`, `lane:critical`, `team:web` ... */
export function isScope(text: string): boolean {
  const [kind = '', ...name] = text.split(':');
  const isNamed = (scopeKinds as readonly string[]).includes(kind) && name.join(':') !== '';
  return text.length <= limits.scopeCharactersMax && (text === 'all' || isNamed);
}
