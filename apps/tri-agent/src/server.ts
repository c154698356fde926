import type { Config, Role } from '#platform/config.js';
import type { Ports } from '#platform/server-process.js';
import { startApi } from './api.js';
import { openHouse, type House, type RunningRole } from './house.js';
import { startProjector } from './projector.js';
import { startReceiver } from './receiver.js';
import { startWatchdog } from './watchdog.js';

export interface RunningServer {
  readonly ports: Ports;
  /** Resolves with what made the server end by itself. */
  readonly failed: Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts the roles that the configuration names; if one cannot start, none stays. */
export async function startServer(config: Config): Promise<RunningServer> {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const house = openHouse(config, fail);
  const running: RunningRole[] = [];
  const stop = async (): Promise<void> => {
    // The last one first: who answers questions goes before who keeps the answers up to date.
    for (const role of running.reverse()) await role.stop();
    await house.log.close();
  };
  try {
    const ports = await startRoles(house, running);
    return { ports, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startRoles(house: House, running: RunningRole[]): Promise<Ports> {
  const has = (role: Role): boolean => house.config.roles.includes(role);
  const keep = <R extends RunningRole>(role: R): R => {
    running.push(role);
    return role;
  };
  if (has('receiver') || has('api')) keep(await startPrices(house));
  if (has('projector')) keep(await startProjector(house));
  if (has('watchdog')) keep(await startWatchdog(house));
  const receiver = has('receiver') ? keep(await startReceiver(house)) : undefined;
  const otlp = { otlpHttp: receiver?.otlpHttp ?? null, otlpGrpc: receiver?.otlpGrpc ?? null };
  const api = has('api') ? keep(await startApi(house, otlp)) : undefined;
  return { http: api?.http ?? null, ...otlp };
}

/** The receiver stamps usage by the price book, the api shows and changes it. */
async function startPrices({ prices }: House): Promise<RunningRole> {
  await prices.start();
  return prices;
}
