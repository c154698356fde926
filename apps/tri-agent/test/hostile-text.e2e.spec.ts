import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { status as grpcStatus } from '@grpc/grpc-js';
import { ServerProcess } from '#platform/server-process.js';
import { runCli } from './cli-process.js';
import { GrpcSender, logsOf, post, type Sendable } from './otlp-sender.js';
import { TemporaryHomes, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

async function start(environment: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home: homes.create(), environment });
  running.push(server);
  return server;
}

type Headers = Readonly<Record<string, string>>;

/** The status of an answer to a request with any headers, which `fetch` would not send. */
function statusOf(url: string, method: 'GET' | 'POST', headers: Headers): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    request.on('error', reject).end();
  });
}

const protobuf = { 'content-type': 'application/x-protobuf' };
const anExport = logsOf('claude-code', [{ 'event.name': 'user_prompt', 'session.id': 'one' }]);

function doorsOf(server: ServerProcess): {
  readonly ask: (headers: Headers) => Promise<number>;
  readonly export: (headers: Headers) => Promise<number>;
  readonly exportOverGrpc: (token?: string) => Promise<number>;
  readonly token: string;
} {
  const token = readFileSync(join(server.home, 'token'), 'utf8').trim();
  return {
    token,
    ask: (headers) => statusOf(`${server.url}/api/v1/sessions`, 'GET', headers),
    export: (headers) => statusOf(`${server.otlpUrl}/v1/logs`, 'POST', { ...protobuf, ...headers }),
    exportOverGrpc: async (given) => {
      const sender = new GrpcSender(server);
      const code = await sender.send(anExport, given);
      sender.close();
      return code;
    },
  };
}

describe('Bound to loopback', () => {
  test('the API needs the token, and telemetry needs none', async () => {
    const doors = doorsOf(await start());
    expect(await doors.ask({})).toBe(401);
    expect(await doors.ask({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await doors.ask({ authorization: `Bearer ${doors.token}` })).toBe(200);
    expect(await doors.export({})).toBe(200);
    expect(await doors.exportOverGrpc()).toBe(grpcStatus.OK);
  });

  test.each([
    { host: 'evil.example' },
    { host: 'localhost.evil.example:8080' },
    { host: '169.254.169.254' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost.evil.example' },
    { host: 'evil.example', origin: 'http://evil.example' },
  ])('no page reaches any port with %j, even with the token', async (headers) => {
    const doors = doorsOf(running[0] ?? (await start()));
    const withToken = { ...headers, authorization: `Bearer ${doors.token}` };
    expect(await doors.ask(withToken)).toBe(403);
    expect(await doors.export(withToken)).toBe(403);
  });
});

describe('Bound elsewhere', () => {
  test('every port needs the token', async () => {
    const server = await start({ TRI_AGENT_BIND: '0.0.0.0' });
    const doors = doorsOf(server);
    for (const authorization of [undefined, 'Bearer wrong', 'Basic d3Jvbmc6d3Jvbmc=']) {
      const headers = authorization === undefined ? {} : { authorization };
      expect(await doors.ask(headers)).toBe(401);
      expect(await doors.export(headers)).toBe(401);
      expect(await statusOf(`${server.url}/metrics`, 'GET', headers)).toBe(401);
    }
    expect(await doors.exportOverGrpc()).toBe(grpcStatus.UNAUTHENTICATED);
    expect(await doors.exportOverGrpc('wrong')).toBe(grpcStatus.UNAUTHENTICATED);

    const right = { authorization: `Bearer ${doors.token}` };
    expect(await doors.ask(right)).toBe(200);
    expect(await doors.export(right)).toBe(200);
    expect(await doors.exportOverGrpc(doors.token)).toBe(grpcStatus.OK);
  });
});

describe('Text that an agent made up', () => {
  const hostile = [
    '\u001b[2J\u001b[31mred',
    '\u001b]0;title\u0007',
    '\u009b31m8-bit',
    '\u202egnp.exe',
    '\u2066isolated\u2069',
    'a\nb\rc\td',
    '\u0000nul',
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '=cmd|calc!A1',
    '\u200b\ufeffunseen',
    '__proto__',
    '../../etc/passwd',
    '\ud83d\ude00 \u0645\u0631\u062d\u0628\u0627',
  ];
  /** Control characters but for line ends, and those that turn or hide text. */
  const live =
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;

  /** Control characters in it are refused: it becomes part of a stream's name. */
  const sessionOf = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '');

  const exported: Sendable = logsOf(
    'claude-code',
    hostile.flatMap((text, index) => [
      {
        'event.name': 'api_request',
        'session.id': sessionOf(`${index}${text}`),
        request_id: `${index}`,
        model: text,
        'project.name': text,
        'user.id': text,
        input_tokens: 1,
        output_tokens: 1,
        cost_usd: 0.1,
      },
      {
        'event.name': 'tool_result',
        'session.id': sessionOf(`${index}${text}`),
        tool_name: text,
        error_type: text,
        success: 'false',
      },
      { 'event.name': 'api_error', 'session.id': sessionOf(`${index}${text}`), error: text },
    ]),
  );
  let server: ServerProcess;
  beforeAll(async () => {
    server = await start();
    expect(await post(server, exported)).toMatchObject({ status: 200, body: '' });
    await waitUntilProjected(server);
  });

  test.each([
    ['sessions'],
    ['top'],
    ['usage', '--by', 'model'],
    ['usage', '--by', 'session'],
    ['events', 'tail', '--after', '0', '--count', String(hostile.length * 3)],
  ])('does nothing to the terminal of who calls %s', async (...argv) => {
    const { exit, out, err } = await runCli(server, argv);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out.split('\n').length).toBeGreaterThan(hostile.length / 2);
    expect(live.exec(out)).toBeNull();
    expect(out).toContain('<script>');
  });

  test('is data in the API, character for character', async () => {
    const answer = await server.get('/api/v1/sessions?limit=500');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const { items } = (await answer.json()) as { items: { sessionId: string; model: string }[] };
    const expected = hostile.map((text, index) => [sessionOf(`${index}${text}`), text]);
    expect(items.map(({ sessionId, model }) => [sessionId, model]).sort()).toEqual(expected.sort());
  });

  test('does not become a label of a metric', async () => {
    const text = await (await server.get('/metrics')).text();
    expect(hostile.filter((one) => one.length > 5 && text.includes(one))).toEqual([]);
  });
});
