import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { anEvent } from '../test/samples.js';
import { StubServer } from '../test/stub-server.js';

const main = resolve('apps/tri-agent-ctl/bin.cjs');

interface Ended {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the built program; `onOut` may act on it while it runs. */
async function start(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onOut: (child: ReturnType<typeof spawn>) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, argv, {
    env: { TRI_AGENT_HOME: join(tmpdir(), 'tri-agent-ctl-none'), ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    onOut(child);
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
  });
  const exit = await new Promise<number | null>((settle) => child.once('close', settle));
  return { exit, out, err };
}

describe('The built program', () => {
  test('runs', async () => {
    expect(await start([main, '--version'])).toEqual({ exit: 0, out: '0.1.0\n', err: '' });
  });

  test('says what is wrong on stderr and by its exit code, without a stack trace', async () => {
    const { exit, out, err } = await start([main, 'status'], {
      TRI_AGENT_URL: 'http://127.0.0.1:1',
    });
    expect([exit, out]).toEqual([1, '']);
    expect(err).toMatch(/^No server answers at .*\n.*npm start.*\n$/);
  });

  test('keeps what was compiled in the data folder, but makes no such folder and can go without', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tri-agent-ctl-'));
    try {
      const version = (home: string): Promise<Ended> =>
        start([main, '--version'], { TRI_AGENT_HOME: home });
      const fine = { exit: 0, out: '0.1.0\n', err: '' };
      expect(await version(folder)).toEqual(fine);
      expect(readdirSync(folder)).toEqual(['compiled']);
      const none = join(folder, 'none');
      expect(await version(none)).toEqual(fine);
      expect(existsSync(none)).toBe(false);
      const blocked = join(folder, 'blocked');
      mkdirSync(blocked);
      writeFileSync(join(blocked, 'compiled'), 'no folder');
      expect(await version(blocked)).toEqual(fine);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('loads for a short answer no other file, no HTTP client and nothing that starts programs', async () => {
    const tell =
      'data:text/javascript,process.on("exit",()=>console.error(JSON.stringify({files:' +
      'Object.keys(process.getBuiltinModule("module")._cache),parts:process.moduleLoadList})))';
    const server = await StubServer.start();
    try {
      const argv = ['--import', tell, main, 'usage', 'daily'];
      const { exit, out, err } = await start(argv, server.env('/nowhere'));
      expect([exit, out]).toEqual([0, expect.stringMatching(/^No usage/)]);
      const { files, parts } = JSON.parse(err) as { files: string[]; parts: string[] };
      expect(files.map((file) => basename(file))).toEqual(['bin.cjs', 'program.cjs']);
      const slow = ['http', 'child_process', 'readline', 'internal/deps/undici/undici'];
      expect(slow.filter((part) => parts.includes(`NativeModule ${part}`))).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  test('refuses an old Node in one sentence, before it imports anything', async () => {
    const old =
      "data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.20.2'}})";
    const { exit, out, err } = await start(['--import', old, main, 'status']);
    expect([exit, out]).toEqual([1, '']);
    expect(err).toMatch(/^tri-agent-ctl needs Node 22\.14 or newer, this is 20\.20\.2\. .*\n$/);
  });

  test('ends well on an interrupt, and when its reader has seen enough', async () => {
    const server = await StubServer.start();
    try {
      server.events = [anEvent(1)];
      const argv = [main, 'events', 'tail', '--after', '0'];
      const interrupted = await start(argv, server.env('/nowhere'), (child) => {
        child.kill('SIGINT');
      });
      expect(interrupted).toMatchObject({ exit: 0, err: '' });
      const cut = await start(argv, server.env('/nowhere'), (child) => {
        child.stdout?.destroy();
        server.publish(anEvent(server.events.length + 1));
      });
      expect(cut).toMatchObject({ exit: 0, err: '' });
    } finally {
      await server.stop();
    }
  });
});
