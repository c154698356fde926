import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { settings, type Config } from '#platform/config.js';
import { StartError } from './start-error.js';

type PortSetting = 'httpPort' | 'otlpHttpPort' | 'otlpGrpcPort';

/** Listens, and returns the port, which the system chose where the configured one is 0. */
export async function listen(
  app: NestFastifyApplication,
  config: Config,
  setting: PortSetting,
): Promise<number> {
  try {
    await app.listen(config[setting], config.bind);
  } catch (error) {
    await app.close();
    throw listenError(error, config, setting);
  }
  return (app.getHttpServer().address() as AddressInfo).port;
}

/** What the system's refusal to listen means to whoever started the server. */
export function listenError(error: unknown, config: Config, setting: PortSetting): unknown {
  const port = config[setting];
  const { variable } = settings[setting];
  const reason = error instanceof Error ? error.message : String(error);
  if (/EADDRINUSE|address already in use/i.test(reason)) {
    return new StartError(
      `Port ${port} is taken: another tri-agent or OpenTelemetry collector may be running. ` +
        `Stop it, or choose another port with ${variable}.`,
    );
  }
  if (/EACCES|permission denied/i.test(reason)) {
    return new StartError(
      `This user may not listen on port ${port}. Choose another with ${variable}.`,
    );
  }
  if (/EADDRNOTAVAIL|ENOTFOUND|name resolution/i.test(reason)) {
    return new StartError(
      `This machine has no address ${config.bind} to listen on. Set ${settings.bind.variable} to one it has.`,
    );
  }
  return error;
}
