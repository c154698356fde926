import { Registry } from 'prom-client';
import { limits } from '#kernel/limits.js';
import type { Intake } from './intake.js';
import { plainIntake, RecordingLog } from './otlp.receiver.contract.js';
import type { Attributes, Export, LogRecord } from './otlp.records.js';

const CLAUDE: Attributes = { 'service.name': 'claude-code', 'service.version': '2.1.329' };
const CODEX: Attributes = { 'service.name': 'codex_exec' };

function log(eventName: string, attributes: Attributes = {}, resource = CLAUDE): LogRecord {
  return {
    origin: { resource, scopeName: '', scopeVersion: '' },
    timeUnixNano: 1n,
    observedTimeUnixNano: 1n,
    eventName,
    severityText: '',
    body: null,
    attributes,
    traceId: '',
    spanId: '',
  };
}

function prompt(session: string, promptId: string, more: Attributes = {}): LogRecord {
  return log('prompt', { 'session.id': session, 'prompt.id': promptId, ...more });
}

function batch(...records: LogRecord[]): Export {
  return { signal: 'logs', records };
}

let eventLog: RecordingLog;
let registry: Registry;
let intake: Intake;
beforeEach(() => {
  eventLog = new RecordingLog();
  registry = new Registry();
  intake = plainIntake(eventLog, registry);
});

async function metrics(): Promise<string> {
  return registry.metrics();
}

function dataOf(type: string): Record<string, unknown>[] {
  return eventLog.events
    .filter((event) => event.type === type)
    .map(({ data }) => data as Record<string, unknown>);
}

describe('The intake', () => {
  test('takes a large export slice by slice and answers for all of it', async () => {
    const count = 2 * limits.recordsPerSliceMax + 1;
    const prompts = Array.from({ length: count }, (_, index) => prompt('a', String(index)));
    const answer = await intake.accept(batch(log('wrong'), ...prompts, log('wrong')));
    expect(answer).toEqual({ rejected: 2, message: 'A record named "wrong" is wrong.' });
    expect(eventLog.events).toHaveLength(count);
    expect(eventLog.ticks).toHaveLength(3);
    expect(await metrics()).toContain(`tri_agent_events_appended_total ${count}`);
  });

  test('gives each record to the translator of its service', async () => {
    const answer = await intake.accept(
      batch(prompt('a', '1'), log('prompt', { 'session.id': 'b' }, CODEX)),
    );
    expect(answer).toEqual({ rejected: 0, message: '' });
    expect(eventLog.events.map(({ stream }) => stream)).toEqual([
      'session-claude-code-a',
      'session-codex-b',
    ]);
  });

  test('appends to all streams in one tick, one append per stream', async () => {
    await intake.accept(
      batch(prompt('a', '1'), prompt('b', '1'), prompt('a', '2'), log('new'), prompt('c', '1')),
    );
    expect(eventLog.ticks).toHaveLength(4);
    expect(new Set(eventLog.ticks).size).toBe(1);
  });

  test('counts a repeated export as duplicates and appends nothing', async () => {
    const twice = batch(prompt('a', '1'), prompt('a', '2'));
    await intake.accept(twice);
    await intake.accept(twice);
    expect(eventLog.events).toHaveLength(2);
    const text = await metrics();
    expect(text).toContain('tri_agent_events_appended_total 2');
    expect(text).toContain('tri_agent_duplicates_total 2');
  });

  test('redacts before it names the stream', async () => {
    await intake.accept(batch(prompt('sk-secret', '1')));
    expect(eventLog.events[0]?.stream).toBe('session-claude-code-[redacted]');
    expect(JSON.stringify(eventLog.events)).not.toContain('sk-secret');
  });

  test('keeps what is under an id that no stream can be named by', async () => {
    await intake.accept(batch(prompt('50 %\n\u001b[31m', '1')));
    expect(eventLog.events[0]?.stream).toBe('session-claude-code-50 %25%0A%1B[31m');
  });

  test('counts noise by name and appends nothing for it', async () => {
    await intake.accept(batch(log('chatter'), log('chatter')));
    expect(eventLog.events).toEqual([]);
    expect(await metrics()).toContain(
      'tri_agent_noise_total{agent="claude-code",name="chatter"} 2',
    );
  });

  test('rejects one by one what breaks its schema and keeps the rest', async () => {
    const answer = await intake.accept(
      batch(
        prompt('a', '1'),
        log('invalid', { 'session.id': 'a', 'prompt.id': '2' }),
        log('wrong'),
      ),
    );
    expect(answer.rejected).toBe(2);
    expect(answer.message).toBe('A record named "wrong" is wrong.');
    expect(eventLog.events).toHaveLength(1);
    expect(await metrics()).toContain('tri_agent_rejected_records_total 2');
  });

  test('rejects one by one what only the log finds invalid and keeps the rest', async () => {
    await intake.accept(batch(prompt('a', '3'), prompt('a', '6')));
    for (const { id } of eventLog.events.splice(0)) eventLog.refused.add(id);
    const ids = Array.from({ length: 9 }, (_, index) => String(index));
    const answer = await intake.accept(batch(...ids.map((id) => prompt('a', id))));
    expect(answer.rejected).toBe(2);
    expect(answer.message).toMatch(/is invalid/);
    expect(eventLog.events).toHaveLength(7);
  });

  test('fails as a whole when the log cannot write, and counts nothing', async () => {
    eventLog.unavailable = true;
    const mixed = batch(prompt('a', '1'), log('chatter'), log('new'));
    await expect(intake.accept(mixed)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    expect(await metrics()).not.toMatch(/(noise|unrecognised|records)_total\{.*\} [1-9]/);
    eventLog.unavailable = false;
    await intake.accept(mixed);
    expect(eventLog.events).toHaveLength(2);
  });

  test('waits for all streams before it fails', async () => {
    let open = (): void => undefined;
    eventLog.gate = new Promise((resolve) => (open = resolve));
    eventLog.unavailable = true;
    let settled = false;
    const accepted = intake.accept(batch(prompt('a', '1'), prompt('b', '1'))).catch(() => {
      settled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    open();
    await accepted;
    expect(settled).toBe(true);
  });
});

describe('Content', () => {
  test('is dropped while content is off', async () => {
    await intake.accept(batch(prompt('a', '1', { text: 'my prompt' })));
    expect(dataOf('PromptSubmitted')[0]).not.toHaveProperty('contentHash');
    expect(JSON.stringify(eventLog.events)).not.toContain('my prompt');
  });

  test('is kept redacted, and the event holds its hash only', async () => {
    const kept: string[] = [];
    const keep = (text: string): Promise<string> => Promise.resolve(`hash${kept.push(text)}`);
    intake = plainIntake(eventLog, new Registry(), { keep });
    await intake.accept(batch(prompt('a', '1', { text: 'my sk-key' })));
    expect(kept).toEqual(['my [redacted]']);
    expect(dataOf('PromptSubmitted')[0]).toMatchObject({ contentHash: 'hash1' });
  });

  test('that cannot be kept makes the sender repeat the batch', async () => {
    const keep = (): Promise<string> => Promise.reject(new Error('ENOSPC'));
    intake = plainIntake(eventLog, new Registry(), { keep });
    const accepted = intake.accept(batch(prompt('a', '1')));
    await expect(accepted).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    expect(eventLog.events).toEqual([]);
  });
});

describe('A name that nobody knows', () => {
  test('becomes one event per agent, signal, name and version, and is counted', async () => {
    await intake.accept(batch(log('new', { key: 'value' }), log('new')));
    await intake.accept(batch(log('new'), log('newer')));
    const found = dataOf('TelemetryUnrecognised');
    expect(found.map(({ name }) => name)).toEqual(['new', 'newer']);
    expect(found[0]).toMatchObject({
      agent: 'claude-code',
      signal: 'logs',
      clientVersion: '1.0.0',
    });
    expect(JSON.parse(found[0]?.['sample'] as string)).toMatchObject({
      eventName: 'new',
      timeUnixNano: '1',
      attributes: { key: 'value' },
    });
    expect(eventLog.events[0]?.stream).toBe('telemetry-claude-code');
    const text = await metrics();
    expect(text).toContain('tri_agent_unrecognised_total{agent="claude-code",signal="logs"} 4');
  });

  test('has the same id in every process', async () => {
    await intake.accept(batch(log('new')));
    await plainIntake(eventLog, new Registry()).accept(batch(log('new')));
    expect(eventLog.events).toHaveLength(1);
  });

  test('of an unknown service is kept under that service, and counted as other', async () => {
    const resource = { 'service.name': 'my app/é', 'service.version': '9' };
    await intake.accept(batch(log('boot', {}, resource), log('', {}, {})));
    expect(eventLog.events.map(({ stream }) => stream)).toEqual([
      'telemetry-my_app_',
      'telemetry-unknown',
    ]);
    const text = await metrics();
    expect(text).toContain('tri_agent_unrecognised_total{agent="other",signal="logs"} 2');
  });

  test('has a sample without secrets and without long text, which may be content', async () => {
    const secret = { key: 'sk-secret', text: 'a long prompt '.repeat(10) };
    await intake.accept(batch(log('new', secret)));
    const sample = dataOf('TelemetryUnrecognised')[0]?.['sample'] as string;
    expect(sample).not.toContain('sk-secret');
    expect(sample).not.toContain('a long prompt');
    expect(sample).toContain('(140 characters)');
  });

  test('is redacted before its names are cut or made safe for a stream', async () => {
    const words = 'word '.repeat(limits.identifierCharactersMax / 5 - 1);
    const resource = { 'service.name': 'sk-secret', 'service.version': `${words}sk-secret` };
    await intake.accept(batch(log(`${words}sk-secret`, {}, resource)));
    expect(JSON.stringify(eventLog.events)).not.toContain('sk-');
  });

  test('has a sample that is cut', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`ключ${index}`, 'значение'.repeat(5)]),
    );
    await intake.accept(batch(log('new', many)));
    const sample = dataOf('TelemetryUnrecognised')[0]?.['sample'] as string;
    const bytes = Buffer.byteLength(sample);
    expect(bytes).toBeLessThanOrEqual(limits.unrecognisedSampleBytesMax);
    expect(bytes).toBeGreaterThan(limits.unrecognisedSampleBytesMax - 8);
    expect(sample).not.toContain('\uFFFD');
  });

  test('is only counted once there are too many, in one export and in all', async () => {
    const names = Array.from({ length: limits.unrecognisedNamesMax + 500 }, (_, i) => `n${i}`);
    await intake.accept(batch(...names.map((name) => log(name))));
    expect(eventLog.events).toHaveLength(limits.unrecognisedPerExportMax);
    for (const name of names) await intake.accept(batch(log(name)));
    expect(eventLog.events).toHaveLength(limits.unrecognisedNamesMax);
    const text = await metrics();
    expect(text).toContain('tri_agent_unrecognised_total{agent="claude-code",signal="logs"} 3000');
  });
});
