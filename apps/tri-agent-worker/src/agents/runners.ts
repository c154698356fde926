import type { AgentRunner } from './agent.js';
import { claude } from './claude.translate.js';

/** One for each agent that workers can run. */
export const runners: readonly AgentRunner[] = [claude];
