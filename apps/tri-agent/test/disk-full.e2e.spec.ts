import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { logsOf, post, type Answer } from './otlp-sender.js';
import { TemporaryHomes, eventsIn, waitUntil, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

const requestsPerExport = 50;
let exported = 0;

function sendRequests(server: ServerProcess): Promise<Answer> {
  const records = Array.from({ length: requestsPerExport }, () => {
    exported += 1;
    const session = `session-${exported % 7}`;
    return {
      'event.name': 'api_request',
      'session.id': session,
      request_id: `request-${exported}`,
      input_tokens: 3,
      output_tokens: 2,
      cost_usd: 0.001,
    };
  });
  return post(server, logsOf('claude-code', records));
}

/**
 * The kernel refuses the process to make any file larger, as a full disk or a quota would: that needs
 * no rights, and can be taken back while the process runs.
 */
function limitFiles(server: ServerProcess, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}:`]);
}

function largestFileOf(home: string): number {
  const sizes = ['events.db', 'events.db-wal', 'read-models.db-wal'].map(
    (name) => statSync(join(home, name)).size,
  );
  return Math.max(...sizes);
}

async function requestsSeen(server: ServerProcess): Promise<number> {
  const usage = await (await server.get('/api/v1/usage?by=agent')).json();
  return (usage as { total: { requests: number } }).total.requests;
}

describe('On a full disk', () => {
  let server: ServerProcess;
  let eventsAtStart = 0;
  let acknowledged = 0;
  let refusals: Answer[] = [];

  beforeAll(async () => {
    server = await ServerProcess.start({ home: homes.create() });
    running.push(server);
    eventsAtStart = eventsIn(server.home);
    for (let index = 0; index < 10; index += 1) {
      expect((await sendRequests(server)).status).toBe(200);
      acknowledged += requestsPerExport;
    }
    await waitUntilProjected(server);
    limitFiles(server, largestFileOf(server.home));
    while (refusals.length < 20) {
      const answer = await sendRequests(server);
      if (answer.status === 200) acknowledged += requestsPerExport;
      else refusals = [...refusals, answer];
    }
  });

  test('exports are answered with 503 and when to come again', () => {
    expect(new Set(refusals.map(({ status }) => status))).toEqual(new Set([503]));
    for (const { retryAfter } of refusals) expect(Number(retryAfter)).toBeLessThanOrEqual(2);
  });

  test('nothing is half written: what is stored is what was acknowledged', () => {
    expect(eventsIn(server.home)).toBe(eventsAtStart + acknowledged);
  });

  test('questions are still answered', async () => {
    expect(await requestsSeen(server)).toBeGreaterThanOrEqual(10 * requestsPerExport);
    expect((await server.get('/api/v1/sessions')).status).toBe(200);
  });

  test('the server lives, is not ready and says why', async () => {
    expect((await server.get('/health/live')).status).toBe(200);
    let answer: Response | undefined;
    // An export may be refused while the little that readiness writes to try the disk still fits.
    await waitUntil('not even a page fits', async () => {
      answer = await server.get('/health/ready');
      return answer.status === 503;
    });
    expect(await answer?.text()).toMatch(/disk/i);
  });

  test('all goes on without a restart when there is room again', async () => {
    limitFiles(server, 'unlimited');
    await waitUntil('the server is ready', async () => (await server.get('/health/ready')).ok);
    expect((await sendRequests(server)).status).toBe(200);
    acknowledged += requestsPerExport;
    await waitUntilProjected(server);
    expect(await requestsSeen(server)).toBe(acknowledged);
    expect(eventsIn(server.home)).toBe(eventsAtStart + acknowledged);
  });
});

describe('Read models that find no room', () => {
  test('wait for it, and the log still takes what comes', async () => {
    const home = homes.create();
    const receiver = await ServerProcess.start({ home, roles: 'receiver' });
    const reader = await ServerProcess.start({ home, roles: 'projector,api' });
    running.push(receiver, reader);
    expect((await sendRequests(receiver)).status).toBe(200);
    await waitUntilProjected(reader);

    limitFiles(reader, largestFileOf(home));
    const before = await requestsSeen(reader);
    for (let index = 0; index < 20; index += 1)
      expect((await sendRequests(receiver)).status).toBe(200);
    await waitUntil('the projector says that it waits', () =>
      reader.printed.includes('The read models cannot be written now'),
    );
    expect(await requestsSeen(reader)).toBeGreaterThanOrEqual(before);

    limitFiles(reader, 'unlimited');
    await waitUntilProjected(reader);
    expect(await requestsSeen(reader)).toBe(21 * requestsPerExport);
  });
});
