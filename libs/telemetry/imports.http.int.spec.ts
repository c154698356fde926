import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { EventLog } from '#eventstore/src/log.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { API_DESCRIPTION, DocsController } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { clockAt } from '#platform/projection.specification.js';
import { Appender } from './appender.js';
import { imports } from './imports.controller.js';
import type { ImportAnswer, UsageFact } from './imports.shapes.js';
import { RecordingLog } from './otlp.receiver.contract.js';
import { Redactor } from '#platform/redaction.js';
import { redactDraft } from './redacted-draft.js';

const request: UsageFact = {
  kind: 'usage',
  agent: 'claude-code',
  sessionId: 's1',
  key: 'req_1',
  requestId: 'req_1',
  occurredAt: '2026-11-20T10:00:00.000Z',
  model: 'claude-sonnet-4-5',
  tier: 'standard',
  inputTokens: 1,
  outputTokens: 2,
  cacheReadTokens: 3,
  cacheCreationTokens: 4,
  cacheCreation1hTokens: 0,
  reasoningTokens: null,
  thread: 'main',
  project: 'shop',
  clientVersion: '2.1.329',
};

let log: RecordingLog;
let app: NestFastifyApplication;
let url: string;
beforeEach(async () => {
  log = new RecordingLog();
  const appender = new Appender({
    log,
    redact: redactDraft(new Redactor([])),
    content: null,
    costOf: () => undefined,
    registry: new Registry(),
  });
  app = await createHttpApp({
    controllers: [...imports.controllers, DocsController],
    providers: [
      ...imports.providers,
      { provide: Appender, useValue: appender },
      { provide: EventLog, useValue: log },
      { provide: Clock, useValue: clockAt('2026-11-20T12:00:00.000Z') },
      { provide: API_DESCRIPTION, useValue: { routes: imports.routes, version: '0' } },
    ],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterEach(() => app.close());

function post(body: unknown, contentType = 'application/json'): Promise<Response> {
  return fetch(`${url}/api/v1/imports`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function take(...facts: unknown[]): Promise<ImportAnswer> {
  const response = await post({ facts });
  expect(response.status).toBe(200);
  return (await response.json()) as ImportAnswer;
}

const any = expect.anything() as unknown;

function stated(): { readonly key: string }[] {
  return (dataOf('UsageStated') as { requests: { key: string }[] }[]).flatMap(
    ({ requests }) => requests,
  );
}

function dataOf(type: string): unknown[] {
  return log.events.filter((event) => event.type === type).map(({ data }) => data);
}

describe('An imported request', () => {
  test('becomes usage from a transcript, without a cost where no price is known', async () => {
    expect(await take(request)).toEqual({ appended: 1, duplicates: 0, rejected: [] });
    expect(dataOf('UsageStated')).toEqual([
      { sessionId: 's1', agent: 'claude-code', requests: [any] },
    ]);
    expect(stated()).toEqual([
      {
        key: 'req_1',
        requestId: 'req_1',
        occurredAt: '2026-11-20T10:00:00.000Z',
        project: 'shop',
        thread: 'main',
        provider: 'anthropic',
        model: 'claude-sonnet-4-5',
        tier: 'standard',
        inputTokens: 1,
        outputTokens: 2,
        cacheReadTokens: 3,
        cacheCreationTokens: 4,
        cacheCreation1hTokens: 0,
        reasoningTokens: null,
        costNanoUsd: null,
        costOrigin: 'unknown',
        computedNanoUsd: null,
        priceVersion: null,
      },
    ]);
    expect(dataOf('PriceMissing')).toHaveLength(1);
    expect(log.events[0]?.metadata).toEqual({
      actor: 'agent:claude-code',
      source: 'claude-code/2.1.329 transcript',
      occurredAt: '2026-11-20T10:00:00.000Z',
    });
  });

  test('is kept once, with whichever others it comes, and again only with more tokens', async () => {
    expect(await take(request, request)).toMatchObject({ appended: 1, duplicates: 1 });
    const next = { ...request, key: 'req_2', requestId: 'req_2' };
    expect(await take(request, next)).toMatchObject({ appended: 1, duplicates: 1 });
    expect(await take({ ...request, outputTokens: 3 })).toMatchObject({ appended: 1 });
    expect(stated().map(({ key }) => key)).toEqual(['req_1', 'req_2', 'req_1']);
  });

  test('shares an event with those of its session, as far as an event has room', async () => {
    const wide = { ...request, model: 'm'.repeat(200), tier: 't'.repeat(200) };
    const facts = Array.from({ length: 400 }, (_, index) => ({
      ...wide,
      key: `${index}${'k'.repeat(190)}`,
      sessionId: index % 2 === 0 ? 's1' : 's2',
    }));
    expect(await take(...facts)).toMatchObject({ appended: 400, rejected: [] });
    const events = dataOf('UsageStated') as { sessionId: string }[];
    expect(events.map(({ sessionId }) => sessionId)).toEqual(['s1', 's1', 's2', 's2']);
    expect(await take(...facts)).toMatchObject({ appended: 0, duplicates: 400 });
  });

  test('of an agent whose requests meet by their tokens stays as it was said first', async () => {
    const codex = { ...request, agent: 'codex', requestId: undefined, key: 'resp_1' };
    expect(await take(codex)).toMatchObject({ appended: 1 });
    expect(await take({ ...codex, outputTokens: 3 })).toMatchObject({ duplicates: 1 });
  });

  test('carries the cost that the agent itself wrote down', async () => {
    await take({ ...request, costUsd: '0.037258500' });
    expect(stated()).toEqual([
      expect.objectContaining({ costNanoUsd: 37_258_500, costOrigin: 'reported' }),
    ]);
  });

  test('loses secrets before it is kept', async () => {
    const secret = 'sk-ant-api03-AAAAbbbbCCCCdddd1234';
    await take({ ...request, project: secret });
    expect(JSON.stringify(log.events)).not.toContain(secret);
  });
});

test('What a file says of the whole session becomes its stated totals', async () => {
  const totals = {
    kind: 'totals',
    agent: 'claude-code',
    sessionId: 's1',
    statedAt: '2026-11-20T10:00:00.000Z',
    inputTokens: 96,
    outputTokens: 782,
    cacheReadTokens: 189_040,
    cacheCreationTokens: 10_310,
    costUsd: '0.107392500',
  };
  expect(await take(totals)).toMatchObject({ appended: 1 });
  expect(dataOf('SessionTotalsStated')).toEqual([
    {
      sessionId: 's1',
      agent: 'claude-code',
      inputTokens: 96,
      outputTokens: 782,
      cacheReadTokens: 189_040,
      cacheCreationTokens: 10_310,
      costNanoUsd: 107_392_500,
    },
  ]);
});

test('A compaction that only the file tells becomes one of its session', async () => {
  const compaction = {
    kind: 'compaction',
    agent: 'codex',
    sessionId: 's1',
    key: '2026-11-20T10:00:00.000Z',
    occurredAt: '2026-11-20T10:00:00.000Z',
    preTokens: 240_000,
    postTokens: null,
  };
  expect(await take(compaction)).toMatchObject({ appended: 1 });
  expect(dataOf('ContextCompacted')).toEqual([
    expect.objectContaining({ trigger: 'auto', preTokens: 240_000, postTokens: null }),
  ]);
});

describe('A fact that is none', () => {
  const wrong: readonly [string, unknown][] = [
    ['of an unknown kind', { ...request, kind: 'prompt' }],
    ['with a word too many', { ...request, prompt: 'hello' }],
    ['with fewer tokens than none', { ...request, inputTokens: -1 }],
    ['with half a token', { ...request, inputTokens: 0.5 }],
    ['with more tokens than a number holds', { ...request, inputTokens: 1e300 }],
    ['from the time before agents', { ...request, occurredAt: '1999-01-01T00:00:00.000Z' }],
    ['from next year', { ...request, occurredAt: '2027-11-20T10:00:00.000Z' }],
    ['that is no object', 'usage'],
    ['that is nothing', null],
  ];

  test.each(wrong)('%s is refused alone', async (_what, fact) => {
    const answer = await take({ ...request, key: 'a' }, fact, { ...request, key: 'b' });
    expect(answer).toMatchObject({ appended: 2, duplicates: 0 });
    expect(answer.rejected).toEqual([{ index: 1, reason: expect.stringMatching(/./) as string }]);
  });

  test('that only the log refuses is named by its place', async () => {
    await take(request);
    log.refused.add(log.events.splice(0)[0]!.id);
    const answer = await take({ ...request, sessionId: 'other' }, request);
    expect(answer).toMatchObject({ appended: 1, rejected: [{ index: 1 }] });
  });
});

describe('The door', () => {
  test('takes no more facts at once than the limit', async () => {
    const facts = Array.from({ length: limits.importFactsMax + 1 }, () => 1);
    const response = await post({ facts });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'BAD_REQUEST', field: 'facts' });
  });

  test('takes no larger body than the limit', async () => {
    const response = await post(JSON.stringify({ facts: ['x'.repeat(limits.apiBodyBytesMax)] }));
    expect(response.status).toBe(413);
  });

  test.each(['', '{', '[]', '{"facts":{}}', '{"facts":[]}'])(
    'refuses the body %j',
    async (body) => {
      expect((await post(body)).status).toBe(400);
    },
  );

  test('takes only JSON', async () => {
    expect((await post('facts', 'application/xml')).status).toBe(415);
  });

  test('asks to come again when the log cannot write', async () => {
    log.unavailable = true;
    const response = await post({ facts: [request] });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
  });

  test('stands in the document of the API, with what it takes', async () => {
    const document = JSON.stringify(await (await fetch(`${url}/api/docs-json`)).json());
    expect(document).toContain('"/api/v1/imports":{"post"');
    expect(document).toContain('cacheCreation1hTokens');
  });
});
