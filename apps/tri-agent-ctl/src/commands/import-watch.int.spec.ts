import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { answer, env, keys, session, stub, write } from '../../test/import-home.spec-helper.js';
import { Terminal } from '../../test/terminal.js';
import type { Io } from '../io.js';
import { runCli } from '../program.js';

describe('With --watch', () => {
  let ending: AbortController;
  let terminal: Terminal;
  let ended: Promise<number>;

  async function watching(...argv: string[]): Promise<void> {
    ending = new AbortController();
    terminal = new Terminal();
    const more: Partial<Io> = { fetch: stub.fetch, signal: ending.signal };
    ended = runCli(['import', '--watch', ...argv], terminal.io(env(), more));
    await terminal.until(({ err, out }) => err.includes('Following') || out.includes('lookedIn'));
  }
  afterEach(async () => {
    ending.abort();
    expect(await ended).toBe(0);
  });

  test('what is appended goes in, line by line', async () => {
    const file = write(session, answer('r1'));
    await watching();
    const [begun, rest] = [answer('r3').slice(0, 50), answer('r3').slice(50)];
    appendFileSync(file, answer('r2') + begun);
    await terminal.until(({ out }) => out.includes('1 request, 6 tokens: 1 new'));
    appendFileSync(file, rest);
    await terminal.until(({ out }) => out.match(/1 new/g)?.length === 3);
    expect(keys()).toEqual(['r1', 'r2', 'r3']);
    expect(terminal.err).toBe('Following. Ctrl-C ends it.\n');
  });

  test('a new file goes in, also where no folder was', async () => {
    await watching();
    write(session, answer('r1'));
    await terminal.until(({ out }) => out.includes('1 new'));
    expect(keys()).toEqual(['r1']);
  });

  test('a file that was replaced or cut is read anew', async () => {
    const file = write(session, answer('r1') + answer('r2'));
    await watching('--json');
    write(`${session}.new`, answer('r3'));
    renameSync(`${file}.new`, file);
    await terminal.until(({ out }) => out.includes('"appended":1,'));
    writeFileSync(file, '');
    appendFileSync(file, answer('r4'));
    await terminal.until(({ out }) => out.match(/"appended":1,/g)?.length === 2);
    expect(keys()).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  test('a server that goes away is waited for', async () => {
    const file = write(session, answer('r1'));
    await watching();
    stub.isThere = false;
    appendFileSync(file, answer('r2'));
    await terminal.until(({ err }) => err.includes('Waiting for it.'));
    stub.isThere = true;
    await terminal.until(({ out }) => out.includes('1 request, 6 tokens: 1 new'));
    expect(keys()).toEqual(['r1', 'r2']);
  });

  test('what had too little output when it was read is told again', async () => {
    const early = { id: 'm', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } };
    const file = write(session, answer('r1', { message: early }));
    await watching();
    appendFileSync(file, answer('r1'));
    await terminal.until(({ out }) => out.includes('0 requests, 4 tokens: 1 new'));
    expect(keys()).toEqual(['r1', 'r1']);
  });
});
