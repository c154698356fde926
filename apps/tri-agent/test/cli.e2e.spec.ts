import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording } from '#libs/telemetry/recordings.js';
import { CliProcess, runCli } from './cli-process.js';
import { logsOf, post } from './otlp-sender.js';
import { TemporaryHomes, eventsIn, waitUntil, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

async function start(
  home = homes.create(),
  environment: Record<string, string> = {},
): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home, environment });
  running.push(server);
  return server;
}

const { results, bodies } = loadRecording('b-tools');
const sessionId = results[0]?.session_id ?? '';

async function sendRecording(server: ServerProcess): Promise<void> {
  for (const { path, contentType, bytes } of bodies) {
    const answer = await fetch(`${server.otlpUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(bytes),
    });
    expect(answer.status).toBe(200);
  }
  await waitUntilProjected(server);
}

async function sendRequests(server: ServerProcess, from: number, to: number): Promise<void> {
  for (let count = from; count <= to; count += 1) {
    const request = {
      'event.name': 'api_request',
      'session.id': 'tailed',
      request_id: `request-${count}`,
      input_tokens: 1,
      output_tokens: 1,
    };
    expect((await post(server, logsOf('claude-code', [request]))).status).toBe(200);
  }
}

describe('The command line, asking a server that has seen a session', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await start();
    await sendRecording(server);
  });

  test.each([
    [['status'], /running|events|sessions/i],
    [['sessions'], new RegExp(sessionId.slice(0, 8))],
    [['sessions', 'list'], /claude/],
    [['sessions', 'show', sessionId], new RegExp(sessionId)],
    [['sessions', 'show', sessionId.slice(0, 8), '--events', '3'], new RegExp(sessionId)],
    [['usage', '--since', '2020-01-01'], /\$/],
    [['usage', 'models', '--since', '2020-01-01'], /claude/],
    [['prices'], /claude-sonnet-4-5 .* 3\.75 /],
    [['prices', 'missing'], /has a price/],
    [['top', '--all'], /total: /],
    [['tasks'], /No such tasks/],
    [['queue'], /open +0\n/],
    [['lanes'], /critical +0 +0 +0 +0 /],
    [['workers'], /No workers are registered/],
    [['dead-letter'], /No dead letters/],
    [['events', 'tail', '--after', '0', '--count', '5'], /./],
    [['connect', 'claude'], /OTEL_EXPORTER_OTLP_ENDPOINT/],
    [['config'], /TRI_AGENT_HOME/],
    [['doctor'], /0 failed/],
  ] as const)('%j answers people, and programs with --json', async (argv, expected) => {
    const [people, programs] = await Promise.all([
      runCli(server, argv),
      runCli(server, [...argv, '--json']),
    ]);
    expect({ exit: people.exit, err: people.err }).toEqual({ exit: 0, err: '' });
    expect(people.out).toMatch(expected);
    expect({ exit: programs.exit, err: programs.err }).toEqual({ exit: 0, err: '' });
    const documents = argv[0] === 'events' ? programs.out.trim().split('\n') : [programs.out];
    for (const document of documents) expect(JSON.parse(document)).toEqual(expect.any(Object));
  });

  test('tells by its exit code what failed: 1 the doing, 2 the wording', async () => {
    const ends = await Promise.all([
      runCli(server, ['sessions', 'show', 'no-such-session']),
      runCli(server, ['usage', '--by', 'colour']),
      runCli({ home: server.home, url: 'http://127.0.0.1:1' }, ['status']),
      runCli(server, ['status'], { TRI_AGENT_TOKEN: 'certainly-not-the-token' }),
    ]);
    expect(ends.map(({ exit }) => exit)).toEqual([1, 2, 1, 1]);
    for (const { out, err } of ends) {
      expect(out).toBe('');
      expect(err).toMatch(/\S/);
      expect(err).not.toMatch(/\n\s+at /);
    }
  });
});

describe('"events tail"', () => {
  test('goes on over a restart of the server, without a gap or a repeat', async () => {
    const first = await start();
    await sendRequests(first, 1, 5);
    const count = 15;
    const argv = ['events', 'tail', '--after', '0', '--count', String(count), '--json'];
    const tail = new CliProcess(first, argv);
    await waitUntil('the first events are printed', () => tail.out.split('\n').length > 5);
    const ports = {
      TRI_AGENT_HTTP_PORT: String(first.ports.http),
      TRI_AGENT_OTLP_HTTP_PORT: String(first.ports.otlpHttp),
    };
    await sendRequests(first, 6, 8);
    await first.stop('SIGKILL');
    const second = await start(first.home, ports);
    await sendRequests(second, 9, count);
    const { exit, out } = await tail.ended;
    expect(exit).toBe(0);
    const positions = out
      .trim()
      .split('\n')
      .map((line) => Number((JSON.parse(line) as { position: string }).position));
    expect(positions).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  });
});

describe('"connect claude --write"', () => {
  test('writes settings with which a client reaches the server, and "disconnect" takes them back', async () => {
    const server = await start();
    const folder = join(homes.create(), 'claude');
    const environment = { CLAUDE_CONFIG_DIR: folder };
    const connected = await runCli(server, ['connect', 'claude', '--write'], environment);
    expect({ exit: connected.exit, err: connected.err }).toEqual({ exit: 0, err: '' });

    const file = join(folder, 'settings.json');
    const { env } = JSON.parse(readFileSync(file, 'utf8')) as { env: Record<string, string> };
    expect(env['OTEL_EXPORTER_OTLP_PROTOCOL']).toBe('http/protobuf');
    const request = { 'event.name': 'user_prompt', 'session.id': 'connected' };
    const otlpUrl = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
    const before = eventsIn(server.home);
    expect((await post({ otlpUrl }, logsOf('claude-code', [request]))).status).toBe(200);
    expect(eventsIn(server.home)).toBe(before + 1);

    const disconnected = await runCli(server, ['disconnect', 'claude'], environment);
    expect({ exit: disconnected.exit, err: disconnected.err }).toEqual({ exit: 0, err: '' });
    expect(() => readFileSync(file)).toThrow('ENOENT');
  });
});
