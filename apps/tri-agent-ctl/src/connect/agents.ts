import type { Agent } from './agent.js';
import { claude } from './claude.js';
import { codex } from './codex.js';
import { gemini } from './gemini.js';

/** Every agent that can be connected. */
export const agents: readonly Agent[] = [claude, codex, gemini];
