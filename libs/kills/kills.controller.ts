import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { z } from 'zod';
import { Refusal } from '#kernel/refusal.js';
import type { ApiRoute } from '#platform/openapi.js';
import { describeKill } from './kill-answers.js';
import { KillSwitch } from './kill-switch.js';
import {
  killBody,
  killParams,
  killShape,
  killsOrderedShape,
  killsPage,
  type KillBody,
  type KillItem,
  type KillsOrdered,
} from './kills.shapes.js';
import { OrderKill } from './order-kill.js';

@Controller('api/v1/kills')
export class KillsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly killSwitch: KillSwitch,
  ) {}

  /** Answered when the order is durable and on its way; whether it was done, `GET` tells. */
  @Post()
  @HttpCode(202)
  order(@Body({ schema: killBody }) body: KillBody): Promise<KillsOrdered> {
    return this.commands.execute(new OrderKill(body));
  }

  /** The newest first. All of them: their number has a limit. */
  @Get()
  async list(): Promise<z.infer<typeof killsPage>> {
    const kills = await this.killSwitch.kills();
    return { items: kills.map(describeKill).reverse(), nextCursor: null };
  }

  @Get(':killId')
  async show(
    @Param({ schema: killParams }) { killId }: z.infer<typeof killParams>,
  ): Promise<KillItem> {
    const kill = (await this.killSwitch.kills()).find((it) => it.killId === killId);
    if (kill !== undefined) return describeKill(kill);
    const message = `There is no kill ${killId}, or it was so long ago that it is no longer listed.`;
    throw new Refusal('KILL_NOT_FOUND', message, { killId });
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });

export const killsRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/kills',
    summary: 'Ends agents at once, with all that they have started; what was ended can be resumed.',
    body: killBody,
    status: 202,
    answer: json(killsOrderedShape),
    problems: ['NOTHING_TO_KILL', 'LOG_UNAVAILABLE'],
  },
  {
    path: '/api/v1/kills',
    summary: 'What was ordered to be ended, and whether it was.',
    answer: json(killsPage),
    problems: ['LOG_UNAVAILABLE'],
  },
  {
    path: '/api/v1/kills/{killId}',
    summary: 'One of them.',
    params: killParams,
    answer: json(killShape),
    problems: ['KILL_NOT_FOUND', 'LOG_UNAVAILABLE'],
  },
];
