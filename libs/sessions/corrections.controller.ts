import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { ApiRoute } from '#platform/openapi.js';
import { CorrectUsage } from './correct-usage.js';
import {
  correctionsAnswer,
  correctionsBody,
  type CorrectionsAnswer,
  type CorrectionsBody,
} from './corrections.shapes.js';

@Controller('api/v1/usage/corrections')
export class CorrectionsController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(200)
  correct(@Body({ schema: correctionsBody }) wish: CorrectionsBody): Promise<CorrectionsAnswer> {
    return this.commands.execute(new CorrectUsage(wish));
  }
}

export const correctionsRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/usage/corrections',
    summary: 'Computes costs anew by the price book as it is now; what agents reported stays.',
    body: correctionsBody,
    answer: { type: 'application/json', schema: correctionsAnswer },
    problems: [
      'BAD_CURSOR',
      'READ_MODEL_BUILDING',
      'BODY_TOO_LARGE',
      'MEDIA_TYPE_NOT_SUPPORTED',
      'LOG_UNAVAILABLE',
    ],
  },
];
