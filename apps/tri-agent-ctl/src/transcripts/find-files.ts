import { readdirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { join, sep } from 'node:path';
import { limits } from '#kernel/limits.js';
import { Failure, reasonOf, systemCodeOf } from '../failure.js';
import { claude } from './claude.translate.js';
import { codex } from './codex.translate.js';
import type { Agent } from './facts.js';
import { gemini } from './gemini.translate.js';
import type { Dialect } from './translator.translate.js';

/** Where to look, and for whose files. */
export interface Place {
  readonly folder: string;
  /** Whose a file is by its path; undefined: no transcript. */
  readonly dialectOf: (path: string) => Dialect | undefined;
}

export interface FoundFile {
  readonly path: string;
  readonly dialect: Dialect;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** What tells a file from another that took its name. */
  readonly inode: string;
}

export interface Findings {
  /** The oldest first, so that what a fork copied is told by the file that it was copied from. */
  readonly files: FoundFile[];
  /** What could not be looked into, and why. */
  readonly unread: { readonly path: string; readonly reason: string }[];
}

type Env = Readonly<Record<string, string | undefined>>;

const isLines = (path: string) => path.endsWith('.jsonl');
const isCodexName = (path: string) => /\.jsonl(\.zst)?$/.test(path);
const isGeminiName = (path: string) => /\.jsonl?$/.test(path);

/** Where the agents leave their files unless told otherwise. */
export function usualPlaces(agent: Agent | 'all', home: string, env: Env): Place[] {
  const places: [Agent, string, Place['dialectOf']][] = [];
  const claudeHomes = [
    ...(env['CLAUDE_CONFIG_DIR'] ?? '').split(',').map((folder) => folder.trim()),
    join(home, '.claude'),
    join(home, '.config', 'claude'),
  ];
  for (const folder of claudeHomes.filter(Boolean)) {
    places.push([
      claude.agent,
      join(folder, 'projects'),
      (path) => (isLines(path) ? claude : undefined),
    ]);
  }
  const codexHome = env['CODEX_HOME'] || join(home, '.codex');
  for (const name of ['sessions', 'archived_sessions']) {
    places.push([
      codex.agent,
      join(codexHome, name),
      (path) => (isCodexName(path) ? codex : undefined),
    ]);
  }
  const isChat = (path: string) => path.includes(`${sep}chats${sep}`) && isGeminiName(path);
  const geminiHome = join(home, '.gemini', 'tmp');
  places.push([gemini.agent, geminiHome, (path) => (isChat(path) ? gemini : undefined)]);
  return places
    .filter(([whose]) => agent === 'all' || agent === whose)
    .map(([, folder, dialectOf]) => ({ folder, dialectOf }));
}

/** A folder or file that somebody names. Files tell whose they are by their names. */
export function namedPlace(agent: Agent | 'all', path: string): Place {
  const byName = (file: string): Dialect | undefined => {
    const name = file.slice(file.lastIndexOf(sep) + 1);
    if (name.startsWith('rollout-') && isCodexName(file)) return codex;
    if (name.startsWith('session-') && isGeminiName(file)) return gemini;
    return isLines(file) ? claude : undefined;
  };
  const own: Readonly<Record<Agent, Place['dialectOf']>> = {
    'claude-code': (file) => (isLines(file) ? claude : undefined),
    codex: (file) => (isCodexName(file) ? codex : undefined),
    gemini: (file) => (isGeminiName(file) ? gemini : undefined),
  };
  return { folder: path, dialectOf: agent === 'all' ? byName : own[agent] };
}

/** @throws {Failure} when there is nothing at the path that somebody named. */
export function checkNamed(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    throw new Failure(
      'path_not_readable',
      `${path} cannot be read (${systemCodeOf(error) ?? reasonOf(error)}).`,
      'Give --path a folder or a file that is there and that you may read.',
    );
  }
}

/** Walks the places. A folder or file that several ways lead to is taken once. */
export function findFiles(places: readonly Place[]): Findings {
  const walk = new Walk();
  for (const { folder, dialectOf } of places) walk.look(folder, dialectOf, 0);
  walk.files.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1));
  return { files: walk.files, unread: walk.unread };
}

class Walk implements Findings {
  readonly files: FoundFile[] = [];
  readonly unread: { path: string; reason: string }[] = [];
  private readonly seen = new Set<string>();

  look(path: string, dialectOf: Place['dialectOf'], level: number): void {
    const found = this.stat(path, level === 0);
    if (found === undefined) return;
    if (found.isFile()) this.lookAtFile(path, found, dialectOf);
    else if (found.isDirectory() && this.isNew(found, path)) this.lookInto(path, dialectOf, level);
  }

  private lookInto(folder: string, dialectOf: Place['dialectOf'], level: number): void {
    if (level > limits.transcriptFolderLevelsMax) {
      this.unread.push({ path: folder, reason: 'it lies too deep' });
      return;
    }
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        // Of the many other files of an agent's folder nothing more is asked than their names.
        const mayMatter = !entry.isFile() || dialectOf(path) !== undefined;
        if (mayMatter) this.look(path, dialectOf, level + 1);
      }
    } catch (error) {
      this.cannot(folder, error);
    }
  }

  private lookAtFile(path: string, file: Stats, dialectOf: Place['dialectOf']): void {
    const dialect = dialectOf(path);
    if (dialect === undefined || !this.isNew(file, path)) return;
    if (this.files.length >= limits.transcriptFilesMax) {
      this.unread.push({
        path,
        reason: `it is beyond the first ${limits.transcriptFilesMax} files`,
      });
      return;
    }
    const { size: bytes, mtimeMs: modifiedMs } = file;
    this.files.push({ path, dialect, bytes, modifiedMs, inode: `${file.dev}:${file.ino}` });
  }

  private stat(path: string, mayBeAbsent: boolean): Stats | undefined {
    try {
      return statSync(path);
    } catch (error) {
      // An agent that was never used has no folder, and what was there a moment ago may be gone.
      if (systemCodeOf(error) !== 'ENOENT' || !mayBeAbsent) this.cannot(path, error);
      return undefined;
    }
  }

  /** By number where the system has them, else by where it really stands. */
  private isNew({ dev, ino }: Stats, path: string): boolean {
    const identity = ino === 0 ? realpathSync(path) : `${dev}:${ino}`;
    if (this.seen.has(identity)) return false;
    this.seen.add(identity);
    return true;
  }

  private cannot(path: string, error: unknown): void {
    const code = systemCodeOf(error);
    const gone = code === 'ENOENT' ? 'it leads nowhere, or is gone' : undefined;
    this.unread.push({ path, reason: gone ?? code ?? reasonOf(error) });
  }
}
