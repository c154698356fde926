import { stripVTControlCharacters } from 'node:util';
import { anEvent, aSession } from '../test/samples.js';
import { stubbed } from '../test/stubbed.spec-helper.js';
import { Terminal, run } from '../test/terminal.js';
import { runCli } from './program.js';

const stub = stubbed(({ server }) => {
  server.sessions = [aSession()];
});

function lineCount(text: string): number {
  return text.split('\n').length - 1;
}

async function streaming(): Promise<void> {
  while (stub.server.streamCount === 0) await new Promise(setImmediate);
}

describe('events tail', () => {
  test('prints events from a position on, and stops after the count', async () => {
    stub.server.events = [anEvent(1), anEvent(2), anEvent(3), anEvent(4)];
    const { exit, out } = await run(stub.env, [
      'events',
      'tail',
      '--after',
      '1',
      '--count',
      '2',
      '--json',
    ]);
    expect(exit).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([anEvent(2), anEvent(3)]);
  });

  test('filters by session and type', async () => {
    stub.server.events = [anEvent(1), anEvent(2, { type: 'ToolFinished' })];
    const argv = ['events', 'tail', '--session', '0f9d', '--type', 'ToolFinished'];
    const { out } = await run(stub.env, [...argv, '--after', '0', '--count', '1']);
    expect(out).toContain('ToolFinished');
    expect(lineCount(out)).toBe(1);
  });

  test('shows an event in one line that a person can read', async () => {
    stub.server.events = [anEvent(1)];
    const { out } = await run(stub.env, ['events', 'tail', '--after', '0', '--count', '1']);
    expect(out).toBe(
      '11:59:55Z        1  UsageRecorded       claude-code 0f9d1c2e  model=claude-sonnet-4-5 input=1,200 cost=$0.0373\n',
    );
  });

  test('goes on from the last event after a broken connection, with a word on stderr', async () => {
    const terminal = new Terminal();
    const leaving = new AbortController();
    const running = runCli(
      ['events', 'tail', '--after', '0', '--json'],
      terminal.io(stub.env, { signal: leaving.signal }),
    );
    stub.server.publish(anEvent(1));
    await terminal.until(({ out }) => lineCount(out) === 1);
    stub.server.breakStreams();
    await terminal.until(({ err }) => err.includes('Connected to the server again'));
    expect(terminal.err).toContain('The connection to the server broke.');
    stub.server.publish(anEvent(2));
    await terminal.until(({ out }) => lineCount(out) === 2);
    expect(stub.server.lastEventIds).toEqual(['0', '1']);
    leaving.abort();
    expect(await running).toBe(0);
  });

  test('ends with the reason when the server that comes back refuses to go on', async () => {
    const terminal = new Terminal();
    let streams = 0;
    const fetchOnce: typeof fetch = (input, init) => {
      if (!(input as string).includes('/api/v1/stream')) return fetch(input, init);
      streams += 1;
      if (streams === 1) return fetch(input, init);
      const problem = { code: 'BAD_REQUEST', detail: 'The log ends at 0: there is no 41.' };
      return Promise.resolve(Response.json(problem, { status: 400 }));
    };
    const io = terminal.io(stub.env, { fetch: fetchOnce });
    const running = runCli(['events', 'tail', '--after', '41'], io);
    await streaming();
    stub.server.breakStreams();
    expect(await running).toBe(1);
    expect(terminal.err).toContain('The log ends at 0');
  });

  test('loses nothing when the connection breaks before the first event', async () => {
    stub.server.events = [anEvent(41)];
    const terminal = new Terminal();
    const running = runCli(['events', 'tail', '--count', '1'], terminal.io(stub.env));
    await streaming();
    stub.server.breakStreams();
    stub.server.publish(anEvent(42));
    expect(await running).toBe(0);
    expect(terminal.out).toContain('     42  UsageRecorded');
    expect(stub.server.lastEventIds).toEqual(['41', '41']);
  });
});

describe('sessions watch', () => {
  test('prints each event and the totals that it led to', async () => {
    const terminal = new Terminal();
    const running = runCli(['sessions', 'watch', '0f9d', '--count', '2'], terminal.io(stub.env));
    await streaming();
    stub.server.publish(anEvent(1));
    await terminal.until(({ out }) =>
      out.includes('= claude-code 0f9d1c2e: 62.5k tokens, $0.0373'),
    );
    stub.server.sessions = [aSession({ costUsd: '1.500000000' })];
    stub.server.publish(anEvent(2));
    expect(await running).toBe(0);
    expect(terminal.out).toContain('$1.5000, 4 requests, context ████░░░░░░  42%');
    expect(lineCount(terminal.out)).toBe(4);
  });

  test('of all sessions prints records for machines', async () => {
    const terminal = new Terminal();
    const running = runCli(['sessions', 'watch', '--count', '1', '--json'], terminal.io(stub.env));
    await streaming();
    stub.server.publish(anEvent(1));
    expect(await running).toBe(0);
    const records = terminal.out.trim().split('\n');
    expect(records.map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: anEvent(1) },
      { session: aSession() },
    ]);
  });
});

describe('top in a terminal', () => {
  function start(columns = 120): {
    terminal: Terminal;
    running: Promise<number>;
    press: (key: string) => void;
  } {
    const terminal = new Terminal();
    let press: (key: string) => void = () => undefined;
    const io = terminal.io(stub.env, {
      isTTY: true,
      size: () => ({ columns, rows: 24 }),
      onKey: (listener) => {
        press = listener;
        return () => undefined;
      },
    });
    const running = runCli(['top'], io);
    return {
      terminal,
      running,
      press: (key) => {
        press(key);
      },
    };
  }

  test('redraws when something happens, until q', async () => {
    const { terminal, running, press } = start();
    await terminal.until(({ out }) => out.includes('$0.0373'));
    stub.server.sessions = [aSession({ costUsd: '7.000000000' })];
    await streaming();
    stub.server.publish(anEvent(1));
    await terminal.until(({ out }) => out.includes('$7.0000'));
    press('q');
    expect(await running).toBe(0);
    expect(terminal.out.startsWith('\u001b[?1049h')).toBe(true);
    expect(terminal.out.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  test('shows all but the model in 80 columns', async () => {
    const { terminal, running, press } = start(80);
    await terminal.until(({ out }) => out.includes('q leaves'));
    press('q');
    expect(await running).toBe(0);
    const heads = ['AGENT', 'SESSION', 'STATE', 'CONTEXT', 'TOKENS', 'COST', '$/MIN', 'AGO'];
    expect(stripVTControlCharacters(terminal.out)).toMatch(
      new RegExp(heads.join(' +').replace('$', '\\$')),
    );
  });

  test('keeps its table and says so when the server goes', async () => {
    const { terminal, running, press } = start();
    await streaming();
    stub.server.breakStreams();
    await terminal.until(({ out }) => out.includes('connection to the server broke'));
    press('\u0003');
    expect(await running).toBe(0);
  });
});
