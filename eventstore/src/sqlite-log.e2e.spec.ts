import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sessionsStarted, take } from './helpers.contract.js';
import { SqliteLog } from './sqlite-log.js';
import { verifyChain } from './verify.js';

const built = join(import.meta.dirname, '../../dist');
const builtLog = pathToFileURL(join(built, 'eventstore/src/sqlite-log.js')).href;

/** What another process does: opens the same file and appends, one event after the other. */
const otherProgram = `
  import { randomUUID } from 'node:crypto';
  const { SqliteLog } = await import(${JSON.stringify(builtLog)});
  const [file, count] = process.argv.slice(1);
  const log = SqliteLog.open(file);
  for (let n = 0; n < Number(count); n += 1) {
    await log.append('shared', 'any', [{
      id: randomUUID(),
      type: 'SessionStarted',
      data: { sessionId: 's-2', agent: 'gemini', startType: 'fresh' },
      metadata: { actor: 'other', source: 'other', occurredAt: new Date().toISOString() },
    }]);
  }
  await log.close();
`;

async function outcomeOf(child: ChildProcess): Promise<{ code: unknown; output: string }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, output };
}

describe('One log in several processes', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tri-agent-processes-'));
    file = join(folder, 'events.db');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const startOther = (events: number): Promise<{ code: unknown; output: string }> => {
    const program = ['--input-type=module', '--eval', otherProgram, file, String(events)];
    return outcomeOf(spawn(process.execPath, program));
  };

  test('is followed here while the others append, every event once and in order', async () => {
    const log = SqliteLog.open(file);
    const following = take(log, 0n, 3 * 40);
    const others = [startOther(40), startOther(40)];
    for (let n = 0; n < 40; n += 1) await log.append('shared', 'any', sessionsStarted(1));
    for (const other of others) expect(await other).toEqual({ code: 0, output: '' });
    const events = await following;
    const numbers = Array.from({ length: 120 }, (_, index) => index + 1);
    expect(events.map(({ version }) => version)).toEqual(numbers);
    expect(events.map(({ position }) => Number(position))).toEqual(numbers);
    await log.close();
    expect(verifyChain(file)).toMatchObject({ events: 120, firstBadPosition: null });
  }, 30_000);

  test('can be made by several at once', async () => {
    const makers = Array.from({ length: 4 }, () => startOther(1));
    for (const maker of makers) expect(await maker).toEqual({ code: 0, output: '' });
    expect(verifyChain(file)).toMatchObject({ events: 4, firstBadPosition: null });
  }, 30_000);

  test('loses nothing that it acknowledged when they are killed', async () => {
    const script = join(built, 'apps/tri-agent/test/log-kill.script.js');
    const { code, output } = await outcomeOf(spawn(process.execPath, [script, '--rounds', '3']));
    expect(output).toMatch(/^rounds 3, kills 6, acknowledged \d+, lost 0,/);
    expect(code).toBe(0);
  }, 60_000);
});
