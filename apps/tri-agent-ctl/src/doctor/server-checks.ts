import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { describeFailure, parseJson, type Client } from '../client.js';
import { Failure } from '../failure.js';
import type { Io } from '../io.js';
import { formatDuration } from '../render/times.js';
import { hostOf, otlpUrl } from '../server.js';
import { missingPrice } from '../prices-shapes.js';
import * as shapes from '../shapes.js';
import { fail, ok, warn, type Finding } from './finding.js';

const SQLITE_MIN = '3.51.3';
const EXPORT_POLL_MS = 50;

/** Is there a server, and is its clock ours? */
export async function checkReachable(client: Client, io: Io): Promise<Finding[]> {
  const { url } = client.server;
  let response: Response;
  try {
    response = await client.request(`${url}/health/live`);
    await client.textOf(response);
  } catch (error) {
    return [fail('server', `nobody answers at ${url}`, describeFailure(error))];
  }
  if (!response.ok) {
    const detail = `what answers at ${url} is no tri-agent server (status ${response.status})`;
    return [
      fail('server', detail, 'Stop that program, or set TRI_AGENT_HTTP_PORT to another port.'),
    ];
  }
  return [ok('server', `answers at ${url}`), ...checkClock(response.headers.get('date'), io)];
}

function checkClock(date: string | null, io: Io): Finding[] {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return [];
  // The header has whole seconds.
  const offMs = Math.max(0, Math.abs(io.now().getTime() - theirs) - 1_000);
  return offMs <= limits.clockOffMs
    ? [ok('clock', 'agrees with the server')]
    : [
        warn(
          'clock',
          `differs from the server by ${formatDuration(offMs)}`,
          'Let both machines keep time by NTP; ages and spans are wrong until then.',
        ),
      ];
}

export async function checkReadiness(client: Client): Promise<Finding[]> {
  try {
    const response = await client.request(`${client.server.url}/health/ready`);
    const parsed = shapes.readiness.safeParse(parseJson(await client.textOf(response)));
    if (!parsed.success) throw await client.refusalOf(response);
    return parsed.data.checks.map(({ name, ok: fine, detail }) =>
      fine
        ? ok(`ready: ${name}`, detail ?? 'ok')
        : fail(`ready: ${name}`, detail ?? 'not ok', `See "${name}" in deployment/RUNBOOK.md.`),
    );
  } catch (error) {
    return [fail('ready', 'the server does not tell', describeFailure(error))];
  }
}

export interface StatusFindings {
  readonly findings: readonly Finding[];
  readonly status?: shapes.Status;
}

/** Does it take our token, and what does it run on? */
export async function checkStatus(client: Client): Promise<StatusFindings> {
  try {
    const status = await client.get('/api/v1/status', shapes.status);
    const { sqlite } = status;
    const findings = [ok('access', `the token opens the API of tri-agent ${status.version}`)];
    if (sqlite) {
      findings.push(
        isAtLeast(sqlite, SQLITE_MIN)
          ? ok('SQLite', sqlite)
          : fail('SQLite', `${sqlite} can lose data`, `Use ${SQLITE_MIN} or newer: npm ci`),
      );
    }
    return { findings, status };
  } catch (error) {
    return { findings: [fail('access', 'the API stays closed', describeFailure(error))] };
  }
}

/** Whether all that was used has a price. Undefined where the server does not tell. */
export async function checkPrices(client: Client): Promise<Finding | undefined> {
  try {
    const max = limits.modelsNamedMax;
    const { items, nextCursor } = await client.list('/api/v1/prices/missing', missingPrice, max);
    if (items.length === 0) return ok('prices', 'every model that was used has one');
    const names = [...new Set(items.map(({ model }) => model))].join(', ');
    const more = nextCursor === null ? '' : ' and others';
    const fix = 'See "tri-agent-ctl prices missing"; their cost is unknown until you set a price.';
    return warn('prices', `none is known for ${names}${more}`, fix);
  } catch (error) {
    // An older server has no price book, and one that has just started builds its tables first.
    if (error instanceof Failure && [404, 503].includes(error.httpStatus ?? 0)) return undefined;
    return fail('prices', 'the server does not tell', describeFailure(error));
  }
}

/** `3.54.1` is at least `3.51.3`. */
export function isAtLeast(version: string, least: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, minimum] of least.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== minimum) return part > minimum;
  }
  return true;
}

/** Who listens where agents send to, whether or not the server answers. */
export async function checkPorts(
  client: Client,
  status: shapes.Status | undefined,
): Promise<Finding[]> {
  const { server } = client;
  const { config } = server.loaded;
  const host = hostOf(server.url);
  const receives = status?.roles?.includes('receiver') ?? true;
  if (status !== undefined && !receives) {
    return [ok('OTLP ports', 'this server has no receiver role')];
  }
  const { otlpHttp, otlpGrpc } = status?.ports ?? {
    otlpHttp: config.otlpHttpPort,
    otlpGrpc: config.otlpGrpcPort,
  };
  const ports = [
    ['OTLP/HTTP port', otlpHttp],
    ['OTLP/gRPC port', otlpGrpc],
  ] as const;
  const findings: Finding[] = [];
  for (const [name, port] of ports) {
    if (typeof port !== 'number') continue;
    const taken = await answersTcp(host, port);
    if (status !== undefined) {
      findings.push(
        taken
          ? ok(name, `${host}:${port} answers`)
          : fail(name, `nobody answers at ${host}:${port}`, 'Restart the server and read its log.'),
      );
    } else if (taken) {
      const fix = 'Find it (ss -ltnp) and stop it, or choose another port for tri-agent.';
      findings.push(warn(name, `another program may hold ${host}:${port}`, fix));
    }
  }
  return findings;
}

async function answersTcp(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limits.requestWaitMs });
    const settle = (answered: boolean) => (): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', settle(true));
    socket.once('error', settle(false));
    socket.once('timeout', settle(false));
  });
}

/**
 * Sends one log record and sees the server's counter rise. The name is always the same and no agent's,
 * so that the server keeps nothing of it beyond a first note that such a name exists.
 */
export async function checkExport(
  client: Client,
  io: Io,
  otlpPort: number | null | undefined,
): Promise<Finding> {
  const name = 'test export';
  const url = `${otlpUrl(client.server, otlpPort)}/v1/logs`;
  try {
    const before = await countRecords(client);
    const response = await client.request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(pingExport(io.now())),
    });
    const answer = await client.textOf(response);
    if (!response.ok) {
      const detail = `${url} answered ${response.status}: ${answer.slice(0, limits.lineCharactersMax)}`;
      return fail(name, detail, 'Look whether another program listens on that port.');
    }
    for (let waitedMs = 0; waitedMs <= limits.testExportWaitMs; waitedMs += EXPORT_POLL_MS) {
      if ((await countRecords(client)) > before) return ok(name, `arrived by ${url}`);
      await wait(EXPORT_POLL_MS);
    }
    const detail = `${url} took the record, but this server never counted it`;
    return fail(
      name,
      detail,
      'Another collector may listen on that port: stop it, or move tri-agent.',
    );
  } catch (error) {
    return fail(name, 'did not go through', describeFailure(error));
  }
}

function pingExport(now: Date): unknown {
  const timeUnixNano = `${now.getTime()}000000`;
  const attribute = (key: string, stringValue: string): unknown => ({
    key,
    value: { stringValue },
  });
  const record = {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    body: { stringValue: 'tri_agent_doctor.ping' },
    attributes: [attribute('event.name', 'tri_agent_doctor.ping')],
  };
  return {
    resourceLogs: [
      {
        resource: { attributes: [attribute('service.name', 'tri-agent-doctor')] },
        scopeLogs: [{ scope: { name: 'tri-agent-doctor' }, logRecords: [record] }],
      },
    ],
  };
}

/** How many records came in so far, over all labels of the counter. */
async function countRecords(client: Client): Promise<number> {
  const response = await client.request(`${client.server.url}/metrics`);
  if (!response.ok) throw await client.refusalOf(response);
  return sumOfMetric(await client.textOf(response), 'tri_agent_otlp_records_total');
}

/** The sum of all series of a metric in Prometheus' text format; 0 when there is none yet. */
export function sumOfMetric(text: string, metric: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const rest = line.startsWith(metric) ? line.slice(metric.length) : '';
    if (!/^[ {]/.test(rest)) continue;
    // A label's value may hold spaces and braces, but the figure follows the last brace.
    sum += Number(
      rest
        .slice(rest.lastIndexOf('}') + 1)
        .trim()
        .split(' ')[0],
    );
  }
  return sum;
}
