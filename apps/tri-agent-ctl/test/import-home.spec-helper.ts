import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Report } from '../src/transcripts/report.js';
import { StubImports } from './stub-imports.js';
import { run, type Outcome } from './terminal.js';

/** The home folder of somebody who uses agents, and a server to import to; new for each test. */
export let home: string;
export let stub: StubImports;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'import-'));
  stub = new StubImports();
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

export function env(): Record<string, string> {
  return {
    HOME: home,
    TRI_AGENT_HOME: join(home, '.tri-agent'),
    TRI_AGENT_TOKEN: 'a-token-for-tests-only',
  };
}

export function cli(...argv: string[]): Promise<Outcome> {
  return run(env(), ['import', ...argv], { fetch: stub.fetch });
}

export async function report(...argv: string[]): Promise<Report> {
  const { out, err, exit } = await cli(...argv, '--json');
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  return JSON.parse(out) as Report;
}

/** A line of Claude Code's for a request of 6 tokens, with content that is nobody's business. */
export function answer(key: string, more: object = {}): string {
  const line = {
    type: 'assistant',
    sessionId: 's1',
    timestamp: '2026-11-20T10:00:00.000Z',
    requestId: key,
    message: {
      id: `msg_${key}`,
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text: 'a private answer' }],
      usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 },
    },
    ...more,
  };
  return `${JSON.stringify(line)}\n`;
}

export function write(path: string, content: string | Uint8Array): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** Where Claude Code leaves the lines of a session. */
export const session = '.claude/projects/-home-dev-shop/s1.jsonl';

/** What the server holds, in the order in which it came. */
export function keys(): (string | undefined)[] {
  return stub.facts.map((fact) => ('key' in fact ? fact.key : undefined));
}
