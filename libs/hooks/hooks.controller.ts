import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import type { ApiRoute } from '#platform/openapi.js';
import { AgentProcesses } from './agent-processes.js';
import { Hooks } from './hooks.js';
import {
  agentProcessesPage,
  hookAnswer,
  hookBody,
  hookParams,
  type AgentProcessesPage,
  type HookBody,
  type HookParams,
} from './hooks.shapes.js';

@Controller('api/v1')
export class HooksController {
  constructor(
    private readonly hooks: Hooks,
    private readonly processes: AgentProcesses,
  ) {}

  @Post('hooks/:agent')
  @HttpCode(200)
  take(
    @Param({ schema: hookParams }) { agent }: HookParams,
    @Body({ schema: hookBody }) body: HookBody,
  ): Promise<object> {
    return this.hooks.take(agent, body);
  }

  /** All that run: their number has a limit. */
  @Get('agent-processes')
  list(): AgentProcessesPage {
    return { items: this.processes.alive(), nextCursor: null };
  }
}

export const hooksRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/hooks/{agent}',
    summary:
      "Takes what an agent's hook sends, and answers in the agent's form; the hooks' token opens it.",
    params: hookParams,
    body: hookBody,
    answer: { type: 'application/json', schema: hookAnswer },
    problems: ['BODY_TOO_LARGE', 'MEDIA_TYPE_NOT_SUPPORTED', 'LOG_UNAVAILABLE'],
  },
  {
    path: '/api/v1/agent-processes',
    summary: "The processes of this host in which sessions run, as agents' hooks told.",
    answer: { type: 'application/json', schema: agentProcessesPage },
    problems: [],
  },
];
