import type { AgentRunner } from './agent.js';
import { claude } from './claude.translate.js';
import { codex } from './codex.translate.js';
import { gemini } from './gemini.translate.js';

/** Every agent that a worker can run. */
export const runners: readonly AgentRunner[] = [claude, codex, gemini];
