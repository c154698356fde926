import { Client } from '../client.js';
import { checkAgents } from '../doctor/agent-checks.js';
import type { Finding } from '../doctor/finding.js';
import { fail } from '../doctor/finding.js';
import * as local from '../doctor/local-checks.js';
import * as remote from '../doctor/server-checks.js';
import { Failure, exitCode } from '../failure.js';
import type { Output } from '../output.js';
import type { Style } from '../render/paint.js';
import { clean } from '#platform/harmless-text.js';
import { findServer, type Server } from '../server.js';

const styles: Readonly<Record<Finding['state'], Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
};

/** Looks at everything that has to be right, one line each. Returns the exit code. */
export async function runDoctor(output: Output): Promise<number> {
  const findings: Finding[] = [];
  for await (const finding of examine(output)) {
    findings.push(finding);
    if (!output.json) output.lines(...linesOf(finding, output));
  }
  const count = (state: Finding['state']): number =>
    findings.filter((finding) => finding.state === state).length;
  const healthy = count('fail') === 0;
  if (output.json) output.document({ ok: healthy, checks: findings });
  else {
    output.lines('', `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed.`);
  }
  return healthy ? exitCode.ok : exitCode.failed;
}

function linesOf({ name, state, detail, fix }: Finding, output: Output): string[] {
  const line = `${output.paint(styles[state], state.padEnd(4))}  ${clean(name)}: ${clean(detail)}`;
  return fix === undefined ? [line] : [line, `      ${clean(fix)}`];
}

async function* examine(output: Output): AsyncGenerator<Finding> {
  const { io } = output;
  yield local.checkNode();
  let server: Server;
  try {
    server = findServer(io);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    yield fail('settings', error.message, error.hint);
    return;
  }
  yield await local.checkDataFolder(server);
  yield await local.checkToken(server);
  const disk = await local.checkDisk(server);
  if (disk !== undefined) yield disk;
  const client = new Client(server, io);
  const reachable = await remote.checkReachable(client, io);
  yield* reachable;
  const up = reachable.every(({ state }) => state !== 'fail');
  if (!up) {
    yield* await remote.checkPorts(client, undefined);
    yield* await checkAgents(io, server, undefined);
    return;
  }
  yield* await remote.checkReadiness(client);
  const { findings, status } = await remote.checkStatus(client);
  yield* findings;
  const prices = status === undefined ? undefined : await remote.checkPrices(client);
  if (prices !== undefined) yield prices;
  const otlpPort = status?.ports?.otlpHttp;
  yield* await remote.checkPorts(client, status);
  yield* await checkAgents(io, server, otlpPort);
  if (status?.roles?.includes('receiver') ?? true) {
    yield await remote.checkExport(client, io, otlpPort);
  }
}
