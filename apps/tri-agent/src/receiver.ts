import type { Metadata } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { guard, needOnOtlpPort } from '#libs/access/guard.js';
import { makeIntake } from '#libs/telemetry/index.js';
import { Admission } from '#libs/telemetry/otlp.admission.js';
import { sendRefusal } from '#libs/telemetry/otlp.error-filter.js';
import { startOtlpGrpc, type RunningGrpc } from '#libs/telemetry/otlp.grpc.js';
import { createOtlpApp, type OtlpParts } from '#libs/telemetry/otlp.module.js';
import { OtlpRefusal } from '#libs/telemetry/otlp.refusal.js';
import { Clock } from '#platform/clock.js';
import { isLoopback } from '#platform/config.js';
import { problemKinds, type ProblemCode } from '#platform/problem.js';
import type { House, RunningRole } from './house.js';
import { listen, listenError } from './listening.js';

const logger = new Logger('receiver');

/** The role that takes telemetry in: OTLP over HTTP and over gRPC, and nothing else on their ports. */
export async function startReceiver(
  house: House,
): Promise<RunningRole & { readonly otlpHttp: number; readonly otlpGrpc: number }> {
  const { appender, registry } = house;
  const intake = makeIntake(appender, registry);
  const parts: OtlpParts = {
    intake,
    admission: new Admission(registry),
    onBug: (error) => {
      logger.error('An export met a bug', error instanceof Error ? error.stack : String(error));
    },
  };
  const http = await startHttp(house, parts);
  const grpc = await startGrpc(house, parts).catch(async (error: unknown) => {
    await http.app.close();
    throw error;
  });
  return {
    otlpHttp: http.port,
    otlpGrpc: grpc.port,
    stop: async () => {
      await Promise.all([http.app.close(), grpc.stop()]);
    },
  };
}

async function startHttp(
  { config, token }: House,
  parts: OtlpParts,
): Promise<{ app: NestFastifyApplication; port: number }> {
  const checkRequest = guard({
    token,
    allowed: { hosts: config.allowedHosts, origins: config.allowedOrigins },
    needOf: needOnOtlpPort(isLoopback(config.bind)),
    clock: new Clock(),
    refuse: (request, reply, { code, message }) => {
      const { status } = problemKinds[code as ProblemCode];
      sendRefusal(request, reply, new OtlpRefusal(status, message));
    },
  });
  const app = await createOtlpApp({ ...parts, guard: checkRequest });
  return { app, port: await listen(app, config, 'otlpHttpPort') };
}

async function startGrpc({ config, token }: House, parts: OtlpParts): Promise<RunningGrpc> {
  const mayCall = (metadata: Metadata): boolean => {
    const [authorization] = metadata.get('authorization');
    const given = /^bearer +(\S+)$/i.exec(String(authorization ?? ''))?.[1];
    return given !== undefined && token.matches(given);
  };
  const options = isLoopback(config.bind) ? parts : { ...parts, authorize: mayCall };
  return startOtlpGrpc(options, config.bind, config.otlpGrpcPort).catch((error: unknown) => {
    throw listenError(error, config, 'otlpGrpcPort');
  });
}
