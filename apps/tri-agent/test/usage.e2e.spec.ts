import { ServerProcess } from '#platform/server-process.js';
import { loadRecording, recordingGroups } from '#libs/telemetry/recordings.js';
import { runCli } from './cli-process.js';
import { TemporaryHomes, waitUntilProjected } from './support.js';

interface Sums {
  readonly requests: number;
  readonly tokens: Readonly<Record<string, number>>;
  readonly costUsd: string | null;
}
interface Usage {
  readonly items: readonly (Sums & { readonly parts?: readonly Sums[] })[];
  readonly total: Sums;
}
interface Compared {
  readonly items: readonly Sums[];
}

const homes = new TemporaryHomes();
let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ home: homes.create() });
  for (const agent of ['claude-code', 'codex', 'gemini']) {
    for (const name of recordingGroups(agent).slice(0, 3)) {
      for (const { path, contentType, bytes } of loadRecording(name, agent).bodies) {
        const body = new Uint8Array(bytes);
        const headers = { 'content-type': contentType };
        const answer = await fetch(`${server.otlpUrl}${path}`, { method: 'POST', headers, body });
        expect(answer.status).toBe(200);
      }
    }
  }
  await waitUntilProjected(server);
});
afterAll(async () => {
  await server.stop();
  homes.removeAll();
});

/** Exact, as whole nano-dollars. */
function nanoUsd(usd: string | null | undefined): bigint {
  return BigInt((usd || '0.000000000').replace('.', ''));
}

function sumOf(rows: readonly Sums[]) {
  return {
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    input: rows.reduce((sum, row) => sum + (row.tokens['input'] ?? 0), 0),
    cost: rows.reduce((sum, row) => sum + nanoUsd(row.costUsd), 0n),
  };
}

/** The recordings hold no commas and quotes in names; what CSV does with them its own tests say. */
function sumOfCsv(text: string) {
  const [head = [], ...rows] = text
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  const column = (name: string): string[] => rows.map((row) => row[head.indexOf(name)] ?? '');
  return {
    requests: column('requests').reduce((sum, cell) => sum + Number(cell), 0),
    input: column('inputTokens').reduce((sum, cell) => sum + Number(cell), 0),
    cost: column('costUsd').reduce((sum, cell) => sum + nanoUsd(cell), 0n),
  };
}

async function ask(...words: string[]): Promise<string> {
  const argv = ['usage', ...words, '--since', '2020-01-01', '--timezone', 'Pacific/Auckland'];
  const { exit, out, err } = await runCli(server, argv);
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  return out;
}

async function grandTotal() {
  const { total } = JSON.parse(await ask('agents', '--json')) as Usage;
  return sumOf([total]);
}

const cuts = [
  ...['minute', 'hourly', 'daily', 'weekly', 'monthly', 'blocks', 'model', 'providers'],
  ...['agents', 'sessions', 'projects', 'teams', 'users', 'tasks'],
];

describe('Usage of all three agents, cut in every way', () => {
  test.each(cuts)('by %s comes to one total, to the nano-dollar, also as CSV', async (cut) => {
    const [total, json, csv] = await Promise.all([
      grandTotal(),
      ask(cut, '--json'),
      ask(cut, '--csv'),
    ]);
    expect(total.cost).toBeGreaterThan(0n);
    const usage = JSON.parse(json) as Usage;
    expect(sumOf([usage.total])).toEqual(total);
    expect(sumOf(usage.items)).toEqual(total);
    expect(sumOfCsv(csv)).toEqual(total);
  });

  test.each([
    ['daily', 'model'],
    ['blocks', 'agent'],
    ['sessions', 'agent'],
    ['agents', 'session'],
  ])('by %s and then by %s comes to the same', async (cut, part) => {
    const words = [cut, '--breakdown', part];
    const [total, json, csv] = await Promise.all([
      grandTotal(),
      ask(...words, '--json'),
      ask(...words, '--csv'),
    ]);
    const { items } = JSON.parse(json) as Usage;
    expect(sumOf(items.flatMap(({ parts }) => parts ?? []))).toEqual(total);
    expect(sumOfCsv(csv)).toEqual(total);
  });

  test('and the comparison of models has the same costs', async () => {
    const [total, json, csv] = await Promise.all([
      grandTotal(),
      ask('models', '--json'),
      ask('models', '--csv'),
    ]);
    const { items } = JSON.parse(json) as Compared;
    expect(sumOf(items)).toEqual(total);
    expect(sumOfCsv(csv)).toEqual(total);
  });

  test('begins days where the machine is, when nobody says', async () => {
    const there = { TZ: 'Pacific/Auckland' };
    const argv = ['usage', 'daily', '--since', '2020-01-01'];
    const { out } = await runCli(server, argv, there);
    expect(out).toContain('since 2020-01-01 00:00 (time zone Pacific/Auckland)');
    const json = await runCli(server, [...argv, '--json'], there);
    expect(JSON.parse(json.out)).toEqual(JSON.parse(await ask('daily', '--json')));
  });
});
