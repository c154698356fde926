import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { projectRoot } from '#platform/project-root.js';

/** A line of what Claude Code prints. */
export interface Line {
  readonly type: string;
  readonly subtype?: string;
  readonly content?: string;
  readonly session_id?: string;
  readonly total_cost_usd?: number;
  readonly message?: { readonly content?: unknown };
}

/** A run of the client: what it printed, and under which pid. */
export interface Run {
  readonly pid: number;
  readonly lines: readonly Line[];
  readonly printed: string;
}

export interface Begun {
  readonly pid: number;
  /** As a person would, by SIGTERM. */
  stop(): void;
  readonly ended: Promise<Run>;
}

/** An event of the log. */
export interface Told {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly recordedAtMs: number;
}

/** A real Claude Code as a person starts it, with the hooks that `connect claude --write` has installed. */
export class HookedClaude {
  /** Milliseconds that the client itself waited for each hook, by kind. */
  readonly waits: Record<'http' | 'command', number[]> = { http: [], command: [] };
  readonly work: string;
  private runs = 0;

  constructor(
    private readonly program: string,
    private readonly home: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    this.work = join(home, 'work');
    mkdirSync(join(home, '.claude'));
    // As somebody may have it, with a hook of their own that has to stay.
    const theirs = [{ hooks: [{ type: 'command', command: 'true' }] }];
    writeFileSync(
      join(home, '.claude', 'settings.json'),
      JSON.stringify({ hooks: { Stop: theirs } }),
      { mode: 0o600 },
    );
  }

  connect(...more: readonly string[]): void {
    const ctl = join(projectRoot(), 'apps/tri-agent-ctl/bin.cjs');
    const argv = [ctl, 'connect', 'claude', '--write', ...more];
    execFileSync(process.execPath, argv, { env: { ...process.env, ...this.environment } });
  }

  run(prompt = 'Do some work.', ...more: readonly string[]): Promise<Run> {
    return this.begin(prompt, ...more).ended;
  }

  begin(prompt: string, ...more: readonly string[]): Begun {
    this.runs += 1;
    const debug = join(this.home, `debug-${this.runs}.log`);
    const argv = ['-p', prompt, '--output-format', 'stream-json', '--verbose', ...more];
    const model = ['--model', 'claude-sonnet-4-5-20250929', '--dangerously-skip-permissions'];
    const child = spawn(this.program, [...argv, ...model, '--debug-file', debug], {
      cwd: this.work,
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
    const pid = child.pid ?? -1;
    const ended = async (): Promise<Run> => {
      let printed = '';
      for await (const piece of child.stdout) printed += String(piece);
      this.count(readFileSync(debug, 'utf8'));
      return { pid, lines: printed.trim().split('\n').map(lineOf), printed };
    };
    return { pid, ended: ended(), stop: () => child.kill() };
  }

  /** What its own notes say of the time of hooks. */
  private count(notes: string): void {
    let asked = Number.NaN;
    for (const note of notes.split('\n')) {
      const at = Date.parse(note.slice(0, 24));
      if (note.includes('HTTP hook POST to')) asked = at;
      if (note.includes('HTTP hook response status')) this.waits.http.push(at - asked);
      const command = /hook claude-code .*finished with status \d+ \((\d+)ms\)/.exec(note)?.[1];
      if (command !== undefined) this.waits.command.push(Number(command));
    }
  }

  /** Whatever the log holds that names this, such as a session, in its order. */
  eventsOf(name: string): Told[] {
    const log = new Database(join(this.home, 'tri-agent', 'events.db'), { readonly: true });
    try {
      const rows = log
        .prepare('SELECT type, data, metadata FROM events WHERE instr(data, ?) ORDER BY position')
        .all(name) as { type: string; data: string; metadata: string }[];
      return rows.map(({ type, data, metadata }) => {
        const { recordedAt } = JSON.parse(metadata) as { recordedAt: string };
        const recordedAtMs = Date.parse(recordedAt);
        return { type, data: JSON.parse(data) as Told['data'], recordedAtMs };
      });
    } finally {
      log.close();
    }
  }
}

export function sessionOf(lines: readonly Line[]): string {
  return lines.find(({ session_id: id }) => id !== undefined)?.session_id ?? '';
}

function lineOf(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { type: 'text', content: text };
  }
}
