import { Controller, Get, HttpStatus, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { findingOf, type HealthCheck, type HealthFinding } from './health.js';

/** Injection token: the `HealthCheck`s of this process's roles. */
export const HEALTH_CHECKS = Symbol('what must hold for this process to do its work');

interface Health {
  readonly status: 'ok' | 'unavailable';
  readonly checks: readonly HealthFinding[];
}

@Controller('health')
export class HealthController {
  constructor(@Inject(HEALTH_CHECKS) private readonly checks: readonly HealthCheck[]) {}

  /** The process answers: that is all. Restart it when it does not. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 503 while something is in the way of its work. A restart would not help. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const checks = await Promise.all(this.checks.map(findingOf));
    if (checks.every((it) => it.ok)) return { status: 'ok', checks };
    void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return { status: 'unavailable', checks };
  }
}
