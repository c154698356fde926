import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { settings, type Config } from '#platform/config.js';
import { startLocalWorkers } from './local-workers.js';
import { startServer, type RunningServer } from './server.js';

// On a machine with much memory V8 lets its heap grow to a multiple of what lives in it before it
// collects. Under a flood of large exports that multiple, not what lives, is what the process takes.
setFlagsFromString('--heap-growing-percent=40');

/**
 * Runs until a signal or a failure ends it; then the exit code is 0 or 1.
 *
 * @param withWorkers whether workers of this machine are started, too, and end with it
 */
export async function serve(config: Config, withWorkers = false): Promise<void> {
  // Heard from the beginning, so that a signal that comes during the start ends it in order, too.
  const signalled = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const server = await startServer(config);
  announce(server, config);
  const { http } = server.ports;
  const workers = withWorkers && http !== null ? startLocalWorkers(http) : undefined;
  // The watchdog alone leaves nothing open that would keep the process from ending.
  const alive = setInterval(() => undefined, 60_000);
  const reason = await Promise.race([signalled, server.failed.then((error) => ({ error }))]);
  clearInterval(alive);
  if ('error' in reason) {
    console.error('The server ends because of a bug:', reason.error);
    process.exitCode = 1;
  }
  await workers?.stop();
  await server.stop();
}

function announce(server: RunningServer, config: Config): void {
  const { http, otlpHttp, otlpGrpc } = server.ports;
  const at = (port: number): string =>
    `${isIPv6(config.bind) ? `[${config.bind}]` : config.bind}:${port}`;
  console.log(`tri-agent is running (${config.roles.join(', ')}).`);
  if (otlpHttp !== null && otlpGrpc !== null) {
    console.log(`  telemetry  ${at(otlpHttp)} (OTLP/HTTP), ${at(otlpGrpc)} (OTLP/gRPC)`);
  }
  if (http !== null) {
    console.log(`  API        http://${at(http)}/api/v1, documents at /api/docs`);
  }
  console.log(`  data       ${config.home} (${settings.home.variable})`);
  if (http !== null && otlpHttp !== null) {
    console.log('\nNext: npx tri-agent-ctl connect claude   then: npx tri-agent-ctl top');
  }
  process.send?.(server.ports);
}
