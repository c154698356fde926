import { cpSync } from 'node:fs';
import { join } from 'node:path';
import {
  loadRecording,
  recordedAgents,
  recordingGroups,
  type RecordedBody,
} from '#libs/telemetry/recordings.js';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { runCli } from './cli-process.js';
import { TemporaryHomes, waitUntilProjected } from './support.js';

/** The real clients' telemetry and the transcripts of the same sessions, told to one server. */

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

async function start(): Promise<ServerProcess> {
  const home = homes.create();
  const recorded = join(projectRoot(), 'apps/tri-agent-ctl/test/transcripts');
  for (const agent of ['claude', 'codex', 'gemini']) {
    cpSync(join(recorded, agent), join(home, `.${agent}`), { recursive: true });
  }
  const server = await ServerProcess.start({ home });
  running.push(server);
  return server;
}

const bodies = recordedAgents.flatMap((agent) =>
  recordingGroups(agent).flatMap((group) => loadRecording(group, agent).bodies),
);

async function send(server: ServerProcess, some: readonly RecordedBody[]): Promise<void> {
  for (const { path, contentType, bytes } of some) {
    const answer = await fetch(`${server.otlpUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(bytes),
    });
    expect(answer.status).toBe(200);
  }
  await waitUntilProjected(server);
}

async function importAll(server: ServerProcess): Promise<void> {
  expect(await runCli(server, ['import', '--json'])).toMatchObject({ exit: 0 });
  await waitUntilProjected(server);
}

interface Answer {
  readonly total: { readonly requests: number; readonly costUsd: string };
  readonly items: readonly Record<string, unknown>[];
}
async function ask<Of>(server: ServerProcess, path: string): Promise<Of> {
  return (await (await server.get(path)).json()) as Of;
}
const usageOf = (server: ServerProcess) => ask<Answer>(server, '/api/v1/usage?by=session');
const coverageOf = (server: ServerProcess, id: string) =>
  ask<object>(server, `/api/v1/sessions/${id}/coverage`);

/** Sessions of which there is both: of Claude Code with subagent, of Codex with a tool, of Gemini. */
const claude = 'dd1fcb1f-4177-403e-bdae-71603bb1bf4b';
const told = [
  claude,
  '8b5ef3b8-7e3c-4811-a30a-7d97e104debb',
  '01a1f9ee-84b6-7091-86d1-d93bb187c757',
  'a895d4ae-',
];

describe('Transcripts beside telemetry', () => {
  let first: ServerProcess;
  let alone: Answer;
  beforeAll(async () => {
    first = await start();
    await send(first, bodies);
    alone = await usageOf(first);
    await importAll(first);
  });

  test('count nothing twice, and add only what telemetry never told', async () => {
    const { total } = await usageOf(first);
    const coverage = await ask<{ total: { onlyTranscript: { requests: number } } }>(
      first,
      '/api/v1/coverage',
    );
    const added = coverage.total.onlyTranscript.requests;
    expect(total.requests).toBe(alone.total.requests + added);
    for (const before of alone.items) {
      const { items } = await usageOf(first);
      const after = items.find(({ key }) => key === before['key']);
      if (before['key'] === claude) expect(after).toEqual(before);
    }
  });

  test('of a session that reached us whole say so, for all three agents', async () => {
    const { items } = await ask<Answer>(first, '/api/v1/sessions?limit=100');
    for (const beginning of told) {
      const id = items.map((it) => String(it['sessionId'])).find((it) => it.startsWith(beginning));
      expect([beginning, await coverageOf(first, id ?? '')]).toMatchObject([
        beginning,
        { fromTranscript: true, share: { requests: 1, tokens: 1 }, gaps: [], moreGaps: 0 },
      ]);
    }
    expect(await coverageOf(first, claude)).toMatchObject({
      stated: { costUsd: '0.107392500', missing: { costUsd: '0.000000000' } },
    });
  });

  test('come to the same whichever is told first', async () => {
    const second = await start();
    await importAll(second);
    await send(second, bodies);
    expect(await usageOf(second)).toEqual(await usageOf(first));
  });
});

test('A dropped export is a gap by name, counted from the transcript, and closed when it comes', async () => {
  const server = await start();
  const ofSession = loadRecording('b-tools').bodies;
  const lost = ofSession.filter(({ signal }) => signal === 'logs').slice(0, 2);
  await send(
    server,
    ofSession.filter((body) => !lost.includes(body)),
  );
  const { total: without } = await usageOf(server);
  await importAll(server);
  const gaps = await coverageOf(server, claude);
  const { onlyTranscript } = gaps as { onlyTranscript: { requests: number; costUsd: string } };
  expect(onlyTranscript.requests).toBeGreaterThan(0);
  expect(gaps).toMatchObject({ moreGaps: 0, stated: { missing: { costUsd: '0.000000000' } } });
  expect((gaps as { gaps: unknown[] }).gaps).toHaveLength(onlyTranscript.requests);

  // The shipped prices come to what the client reported, so that the repair is exact.
  const session = await ask<{ costUsd: string }>(server, `/api/v1/sessions/${claude}`);
  expect(session).toMatchObject({
    costUsd: '0.107392500',
    computedCostUsd: onlyTranscript.costUsd,
  });
  expect(Number(without.costUsd)).toBeLessThan(0.107);

  await send(server, lost);
  expect(await coverageOf(server, claude)).toMatchObject({
    share: { requests: 1, cost: 1 },
    gaps: [],
  });
  expect(await ask(server, `/api/v1/sessions/${claude}`)).toMatchObject({
    costUsd: '0.107392500',
    computedCostUsd: '0.000000000',
  });
});
