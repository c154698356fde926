import { ServerProcess } from '#platform/server-process.js';
import { flood, type FloodReport } from './overload.js';
import { logsOf, post } from './otlp-sender.js';
import { TemporaryHomes } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

const answersThatSendersUnderstand = ['200', '413', '429', '503'];

describe.each([
  ['long texts', { recordsPerBody: 9_000, attributesPerRecord: 1, charactersPerAttribute: 1_800 }],
  [
    'many attributes',
    { recordsPerBody: 10_000, attributesPerRecord: 30, charactersPerAttribute: 10 },
  ],
])('A flood of large bodies with %s', (_kind, body) => {
  let server: ServerProcess;
  let report: FloodReport;
  beforeAll(async () => {
    server = await ServerProcess.start({ home: homes.create() });
    running.push(server);
    report = await flood(server, { ...body, bodies: 40, everyMs: 20 });
  });

  test('is one: the bodies are large, and not all of them are taken', () => {
    expect(report.bodyMib).toBeGreaterThan(4);
    expect(Object.keys(report.answers)).toEqual(expect.arrayContaining(['200', '503']));
  });

  test('gets only answers that its senders understand, none to wait for long', () => {
    for (const answer of Object.keys({ ...report.answers, ...report.smallAnswers }))
      expect(answersThatSendersUnderstand).toContain(answer);
    expect(report.retryAfterSecondsMax).toBeLessThanOrEqual(2);
  });

  test('does not keep a small client from exporting', () => {
    expect(report.smallAnswers['200']).toBeGreaterThan(5);
  });

  test('leaves everything stored that was acknowledged', () => {
    expect(report.storedRequests).toBe(report.acknowledgedRequests);
  });

  test('does not take more memory than 512 MiB', () => {
    expect(report.rssMibMax).toBeLessThanOrEqual(512);
  });

  test('is over when it is over', async () => {
    const { status } = await post(server, logsOf('claude-code', [{ 'event.name': 'compaction' }]));
    expect(status).toBe(200);
    expect(await server.stop()).toBe(0);
  });
});
