import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { limits } from '#kernel/limits.js';
import type { WorkOrder, WorkPlaceRules } from './rules.js';

/** A person's home with an allowed folder, and in it a repository of theirs. */
export interface Host {
  readonly home: string;
  readonly root: string;
  readonly repository: string;
  readonly rules: WorkPlaceRules;
  /** Runs git as the person. */
  git(folder: string, ...args: string[]): string;
  /** Runs git as the person, who expects it to fail. */
  failingGit(folder: string, ...args: string[]): void;
  write(file: string, text: string): void;
  remove(): void;
}

export function makeHost(): Host {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'work-place-')));
  const root = join(home, 'projects');
  const repository = join(root, 'app');
  const homeBefore = process.env['HOME'];
  process.env['HOME'] = home;
  const env = { PATH: process.env['PATH'], HOME: home, LC_ALL: 'C' };
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const host: Host = {
    ...{ home, root, repository, git },
    rules: {
      roots: [root],
      folder: join(home, '.tri-agent', 'work'),
      keptMs: limits.workPlaceKeptMs,
      keptMax: limits.workPlacesKeptMax,
    },
    failingGit: (folder, ...args) => {
      expect(() => git(folder, ...args)).toThrow();
    },
    write: (file, text) => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    remove: () => {
      process.env['HOME'] = homeBefore;
      rmSync(home, { recursive: true, force: true });
    },
  };
  git('/', 'config', '--global', 'user.name', 'Person');
  git('/', 'config', '--global', 'user.email', 'person@localhost');
  git('/', 'config', '--global', 'init.defaultBranch', 'main');
  mkdirSync(repository, { recursive: true });
  git(repository, 'init', '--quiet');
  host.write(join(repository, 'readme.txt'), 'first line\n');
  host.write(join(repository, 'src', 'a.txt'), 'a\n');
  host.write(join(repository, '.gitignore'), 'ignored/\n');
  git(repository, 'add', '.');
  git(repository, 'commit', '--quiet', '-m', 'first');
  return host;
}

let orders = 0;

/** An order for a new attempt. */
export function order(wanted: Partial<WorkOrder>): WorkOrder {
  orders += 1;
  const ids = { taskId: `task-${orders}`, attemptId: `attempt-${orders}` };
  return { ...ids, directory: null, repository: null, ref: null, ...wanted };
}

/** Every file and link below a folder with its mode, time and content; but for those that begin so. */
export function snapshotOf(folder: string, except: readonly string[] = []): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !except.some((start) => relative(folder, path).startsWith(start)))
    .map((path) => {
      const entry = lstatSync(path);
      const about = `${relative(folder, path)} ${entry.mode}`;
      if (entry.isDirectory()) return about;
      const content = entry.isSymbolicLink() ? readlinkSync(path) : readFileSync(path);
      return `${about} ${entry.mtimeMs} ${createHash('sha256').update(content).digest('hex')}`;
    })
    .sort();
}

/** What git adds to a repository for attempts: everything else is a person's. */
export const ofAttempts = [
  '.git/worktrees',
  '.git/objects',
  '.git/refs/heads/tri-agent',
  '.git/logs/refs/heads/tri-agent',
];
