import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { inContext, tokens } from '#platform/redaction.spec-helper.js';
import {
  keyValues,
  GrpcSender,
  logsRequest,
  post,
  type Plain,
  type Sendable,
} from './otlp-sender.js';
import { TemporaryHomes, waitUntilProjected } from './support.js';

/** What an agent sends, and which part of it must be found nowhere. */
interface Planted {
  readonly text: string;
  readonly secret: string;
}

const plants: readonly Planted[] = [
  ...tokens.map(([, secret]) => ({ text: secret, secret })),
  ...inContext.map(([, text, secret]) => ({ text, secret })),
];
/** How most of the made-up secrets begin, whatever stands before that. */
const pieces = ['aB3dE5gH7jK9', '0123456789abcdef'];
/** Stands in every prompt, answer and tool content, and nowhere else. */
const prose = 'the violet otter swims upstream at dawn';
const configured = /ticket-\d{6}/;
const configuredSecret = 'ticket-424242';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

const text = (value: string): Plain => ({ stringValue: value });
const now = (): string => `${Date.now()}000000`;

/** One record of each event of Claude Code that keeps text, with the secret wherever text goes. */
function claudeCodeLogs({ text: planted }: Planted, index: number): Plain[] {
  const everywhere = {
    'session.id': planted,
    'prompt.id': planted,
    'message.uuid': planted,
    'user.id': planted,
    'team.id': planted,
    'task.id': planted,
    'project.name': planted,
    model: planted,
    request_id: planted,
    tool_use_id: planted,
    agent_id: planted,
    'agent.name': planted,
    agent_type: planted,
    query_source: `agent:builtin:${planted}`,
    'anthropic.provider': planted,
    command_name: planted,
    error_type: planted,
    source: planted,
    permission_mode: planted,
    [planted]: planted,
    error: `it failed with ${planted} at last`,
    prompt: `${prose} with ${planted} in it`,
    response: `${prose}: ${planted}`,
    tool_input: JSON.stringify({ command: `${prose} ${planted}` }),
    tool_parameters: `${prose} ${planted}`,
    tool_output: `${prose}\n${planted}`,
    final_model: planted,
  };
  const events: readonly [string, Record<string, string | number>][] = [
    ['user_prompt', {}],
    ['api_request', { input_tokens: 1, output_tokens: 1, cost_usd: 0.01, attempt: index }],
    ['api_error', { attempt: index }],
    ['api_error', { attempt: index + 1_000, error: `${'e'.repeat(470)},${planted}` }],
    ['api_error', { attempt: index + 2_000, error: `${'e '.repeat(235)}${planted}` }],
    ['api_retries_exhausted', { total_attempts: 2 }],
    ['assistant_response', {}],
    ['tool_decision', { tool_name: planted, decision: 'accept' }],
    ['tool_result', { tool_name: planted, success: 'true' }],
    ['compaction', { trigger: 'auto', success: 'true' }],
    ['subagent_completed', {}],
  ];
  return events.map(([name, own]) => ({
    timeUnixNano: now(),
    attributes: keyValues({ 'event.name': name, ...everywhere, ...own }),
  }));
}

/** The same of a record that no translator knows. */
function unknownLogs({ text: planted }: Planted): Plain[] {
  const attributes = keyValues({ [planted]: 1, short: planted, 'session.id': planted });
  const list = { key: 'list', value: { arrayValue: { values: [text(planted)] } } };
  const map = { kvlistValue: { values: keyValues({ [planted]: planted }) } };
  return [
    { eventName: planted, attributes },
    { eventName: `x ${planted}`, body: text(planted), attributes: [list] },
    { attributes: keyValues({ 'event.name': `y ${planted}` }), severityText: planted },
    { eventName: `z ${planted}`, attributes: [{ key: 'map', value: map }] },
  ];
}

function metrics(service: string, { text: planted }: Planted): Plain {
  const attributes = keyValues({ 'session.id': planted, model: planted, [planted]: planted });
  const point = { attributes, timeUnixNano: now(), startTimeUnixNano: now(), asDouble: 1 };
  const sum = { dataPoints: [point], aggregationTemporality: 1, isMonotonic: true };
  const names = ['claude_code.active_time.total', 'claude_code.commit.count', planted];
  const resource = { attributes: keyValues({ 'service.name': service, 'host.name': planted }) };
  const described = names.map((name) => ({ name, unit: planted, description: planted, sum }));
  return { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: described }] }] };
}

function traces(service: string, { text: planted }: Planted): Plain {
  const attributes = keyValues({ 'session.id': planted, [planted]: planted });
  const events = [{ name: planted, attributes }];
  const spans = [
    { name: planted, attributes, events, status: { code: 2, message: planted } },
    { name: 'claude_code.interaction', attributes, events, status: { message: planted } },
  ];
  const resource = { attributes: keyValues({ 'service.name': service, 'host.name': planted }) };
  const scope = { name: planted, version: planted };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] };
}

function exportsWith(planted: Planted, index: number): Sendable[] {
  const resource = { 'user.id': planted.text, 'service.version': planted.text };
  const stranger = `agent-${index % 7}`;
  return [
    ...['claude-code', stranger].flatMap((service): Sendable[] => [
      { signal: 'metrics', request: metrics(service, planted) },
      { signal: 'traces', request: traces(service, planted) },
      { signal: 'logs', request: logsRequest(service, unknownLogs(planted), resource) },
    ]),
    {
      signal: 'logs',
      request: logsRequest('claude-code', claudeCodeLogs(planted, index), resource),
    },
    // A secret as the name of the service itself, alone and behind other text.
    { signal: 'logs', request: logsRequest(planted.text, [{ eventName: 'named' }]) },
    {
      signal: 'logs',
      request: logsRequest(`${'a'.repeat(170)} ${planted.text}`, [{ body: text('b') }]),
    },
    {
      signal: 'logs',
      request: logsRequest(stranger, [{ eventName: `${'n'.repeat(170)} ${planted.text}` }]),
    },
  ];
}

async function plantEverything(server: ServerProcess): Promise<void> {
  const grpc = new GrpcSender(server);
  const all = [...plants, { text: configuredSecret, secret: configuredSecret }];
  for (const [index, planted] of all.entries()) {
    for (const sendable of exportsWith(planted, index)) {
      const how = index % 3;
      if (how === 0) expect(await grpc.send(sendable)).toBe(0);
      else {
        const { status } = await post(server, sendable, how === 1 ? 'json' : 'protobuf');
        expect(status).toBe(200);
      }
    }
  }
  grpc.close();
}

/** Everything that anyone can read of the server, by where it stands. */
async function everythingOf(server: ServerProcess): Promise<Map<string, Buffer>> {
  await waitUntilProjected(server);
  const found = new Map<string, Buffer>();
  const sessions = await pagesOf(server, '/api/v1/sessions');
  found.set('sessions', Buffer.from(JSON.stringify(sessions)));
  for (const path of ['/metrics', '/api/v1/status', '/health/ready', '/api/v1/usage?by=model']) {
    found.set(path, Buffer.from(await (await server.get(path)).text()));
  }
  for (const [id] of sessions.map((one) => [one['sessionId'] as string])) {
    const path = `/api/v1/sessions/${encodeURIComponent(id ?? '')}`;
    found.set(path, Buffer.from(await (await server.get(path)).text()));
  }
  // Before the end, while there is a write-ahead log, and after it.
  for (const [file, bytes] of filesOf(server.home)) found.set(`running ${file}`, bytes);
  await server.stop();
  for (const [file, bytes] of filesOf(server.home)) found.set(file, bytes);
  found.set('printed', Buffer.from(server.printed));
  return found;
}

async function pagesOf(server: ServerProcess, path: string): Promise<Plain[]> {
  const items: Plain[] = [];
  let cursor: string | null = null;
  do {
    const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await (await server.get(`${path}?limit=500${from}`)).json();
    const page = answer as { items: Plain[]; nextCursor: string | null };
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

function filesOf(home: string): [string, Buffer][] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [relative(home, file), readFileSync(file)]);
}

/** Where the text stands as it is, or as JSON would write it. */
function placesOf(needle: string, places: ReadonlyMap<string, Buffer>): string[] {
  const escaped = JSON.stringify(needle).slice(1, -1);
  return [...places]
    .filter(([, bytes]) => bytes.includes(needle) || bytes.includes(escaped))
    .map(([place]) => place);
}

describe.each(['off', 'on'] as const)('With content %s', (content) => {
  let places: ReadonlyMap<string, Buffer>;
  beforeAll(async () => {
    const environment = { TRI_AGENT_CONTENT: content, TRI_AGENT_REDACT: configured.source };
    const server = await ServerProcess.start({ home: homes.create(), environment });
    running.push(server);
    await plantEverything(server);
    places = await everythingOf(server);
  });

  test('the log holds what was sent, so that there is something to find', () => {
    const log = places.get('events.db')?.toString('latin1') ?? '';
    for (const type of ['UsageRecorded', 'ToolFinished', 'TelemetryUnrecognised'])
      expect(log).toContain(type);
    expect(log.match(/\[redacted:/g)?.length).toBeGreaterThan(1_000);
    expect(plants.length).toBeGreaterThan(60);
  });

  test('no secret of any kind is found in any file, answer, metric or line printed', () => {
    const found = plants
      .map(({ secret }) => ({ secret, places: placesOf(secret, places) }))
      .filter((one) => one.places.length > 0);
    expect(found).toEqual([]);
  });

  test('not even a piece of one, where text had to be cut', () => {
    expect(pieces.flatMap((piece) => placesOf(piece, places))).toEqual([]);
  });

  test('nor what the configuration calls a secret', () => {
    expect(placesOf(configuredSecret, places)).toEqual([]);
    expect(placesOf('[redacted:configured:', places)).toContain('events.db');
  });

  test('prompts, answers and tool content are found where they belong', () => {
    const found = placesOf(prose, places);
    if (content === 'off') expect(found).toEqual([]);
    else {
      expect(found.filter((place) => !/^(running )?content\//.test(place))).toEqual([]);
      expect(found.length).toBeGreaterThan(plants.length);
    }
  });
});
