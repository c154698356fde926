import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { loadRecording, recordingGroups } from '#libs/telemetry/recordings.js';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { CliProcess, runCli } from './cli-process.js';
import { TemporaryHomes, eventsIn, waitUntil, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

async function start(roles = 'all'): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home: homes.create(), roles });
  running.push(server);
  return server;
}

const recorded = join(projectRoot(), 'apps/tri-agent-ctl/test/transcripts');
const rollout =
  'sessions/2026/11/20/rollout-2026-11-20T17-08-40-01a1f9ee-84b6-7091-86d1-d93bb187c757.jsonl';

/** The home folder of somebody who has used all three agents; `CliProcess` takes it for HOME. */
function leaveTranscripts(home: string): void {
  for (const agent of ['claude', 'codex', 'gemini']) {
    cpSync(join(recorded, agent), join(home, `.${agent}`), { recursive: true });
  }
}

interface Report {
  readonly requests: number;
  readonly appended: number;
  readonly alreadyKnown: number;
}

async function importAll(server: ServerProcess, ...argv: string[]): Promise<Report> {
  const { exit, out, err } = await runCli(server, ['import', '--json', ...argv]);
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  return JSON.parse(out) as Report;
}

interface Usage {
  readonly agent: string;
  readonly sessionId: string;
  readonly requestId?: string;
  readonly model: string;
  readonly tier: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  readonly reasoningTokens: number | null;
  readonly occurredAt: string;
}

interface Row {
  readonly type: string;
  readonly data: string;
  readonly occurredAt: string;
}

function usageIn(home: string, source: 'telemetry' | 'transcript'): Usage[] {
  const db = new Database(join(home, 'events.db'), { readonly: true });
  try {
    const rows = db
      .prepare<[string], Row>(
        "SELECT data, metadata ->> 'occurredAt' AS occurredAt FROM events WHERE type = ?",
      )
      .all(source === 'telemetry' ? 'UsageRecorded' : 'UsageStated');
    return rows.flatMap(({ data, occurredAt }) => {
      if (source === 'telemetry') return [{ ...(JSON.parse(data) as Usage), occurredAt }];
      const { agent, sessionId, requests } = JSON.parse(data) as Usage & { requests: Usage[] };
      return requests.map((request) => ({ ...request, agent, sessionId }));
    });
  } finally {
    db.close();
  }
}

/** What both ways must tell alike. */
function commonOf(usage: Usage) {
  const { agent, sessionId, model, tier, inputTokens, outputTokens } = usage;
  const { cacheReadTokens, cacheCreationTokens, reasoningTokens } = usage;
  return {
    ...{ agent, sessionId, model, tier, inputTokens, outputTokens },
    ...{ cacheReadTokens, cacheCreationTokens, reasoningTokens },
  };
}

describe('What three agents left on disk', () => {
  test('is there after one command, and a second one changes nothing', async () => {
    const server = await start();
    leaveTranscripts(server.home);
    const first = await importAll(server);
    expect(first).toMatchObject({ requests: 34, alreadyKnown: 0 });
    await waitUntilProjected(server);
    const before = eventsIn(server.home);
    const { out } = await runCli(server, [
      'usage',
      '--by',
      'agent',
      '--since',
      '2026-11-01',
      '--json',
    ]);
    const { total } = JSON.parse(out) as { total: { requests: number } };
    expect(total.requests).toBe(34);

    expect(await importAll(server)).toMatchObject({ appended: 0, alreadyKnown: first.appended });
    expect(eventsIn(server.home)).toBe(before);
  });

  test('goes in where no telemetry is received', async () => {
    const server = await start('api');
    leaveTranscripts(server.home);
    expect((await importAll(server)).requests).toBe(34);
  });

  test('is read where it is compressed, and is then the same', async () => {
    const server = await start();
    leaveTranscripts(server.home);
    const { appended } = await importAll(server, 'codex');
    const file = join(server.home, '.codex', rollout);
    writeFileSync(`${file}.zst`, zstdCompressSync(readFileSync(file)));
    rmSync(file);
    expect(await importAll(server, 'codex')).toMatchObject({ appended: 0, alreadyKnown: appended });
  });

  test('says of a request what the telemetry of the same run says', async () => {
    const server = await start();
    leaveTranscripts(server.home);
    for (const agent of ['claude-code', 'codex', 'gemini']) {
      for (const group of recordingGroups(agent)) {
        for (const { path, contentType, bytes } of loadRecording(group, agent).bodies) {
          await fetch(`${server.otlpUrl}${path}`, {
            method: 'POST',
            headers: { 'content-type': contentType },
            body: new Uint8Array(bytes),
          });
        }
      }
    }
    await importAll(server);
    const telemetry = usageIn(server.home, 'telemetry');
    const pairs = usageIn(server.home, 'transcript').flatMap((transcript) => {
      const twin = telemetry.find((one) => isSameRequest(one, transcript));
      return twin === undefined ? [] : [{ transcript, twin }];
    });
    const agents = pairs.map(({ transcript }) => transcript.agent);
    expect(agents.filter((agent) => agent === 'claude-code').length).toBeGreaterThan(10);
    expect(new Set(agents)).toEqual(new Set(['claude-code', 'codex', 'gemini']));
    for (const { transcript, twin } of pairs) expect(commonOf(transcript)).toEqual(commonOf(twin));
  });
});

/** By the id that both tell, else by time: never by what is to be compared. */
function isSameRequest(telemetry: Usage, transcript: Usage): boolean {
  if (transcript.requestId !== undefined) return telemetry.requestId === transcript.requestId;
  const apartMs = Math.abs(Date.parse(telemetry.occurredAt) - Date.parse(transcript.occurredAt));
  return telemetry.sessionId === transcript.sessionId && apartMs < 100;
}

test('With --watch, what an agent writes is with the server before long', async () => {
  const server = await start();
  const lines = readFileSync(join(recorded, 'codex', rollout), 'utf8').split(/(?<=\n)/);
  const at = lines.findIndex((line) => line.includes('token_usage_record'));
  const file = join(server.home, '.codex', rollout);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, lines.slice(0, at + 1).join(''));

  const cli = new CliProcess(server, ['import', 'codex', '--watch']);
  await waitUntil('the first request is in', () => usageIn(server.home, 'transcript').length === 1);
  await waitUntil('it follows', () => cli.err.includes('Following'));
  appendFileSync(file, lines.slice(at + 1).join(''));
  await waitUntil('the second is in', () => usageIn(server.home, 'transcript').length === 2);
  await waitUntil('it is told', () => cli.out.includes('1 request, '));
  cli.interrupt();
  expect((await cli.ended).exit).toBe(0);
});
