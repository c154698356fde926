import type Database from 'better-sqlite3';
import { LogError } from './log.js';

/** What SQLite's error codes (their beginnings) mean to whoever runs the program. */
const meanings: readonly (readonly [code: string, meaning: string])[] = [
  ['SQLITE_FULL', 'The disk is full. Free some space; appends then succeed again by themselves.'],
  [
    'SQLITE_BUSY',
    'Another process keeps writing to it. Try again; if it stays, stop that process.',
  ],
  ['SQLITE_IOERR', 'The disk reported an error. Look at the system log and the free space.'],
  ['SQLITE_READONLY', 'It cannot be written to. Give this user the right to write it.'],
  ['SQLITE_CANTOPEN', 'It cannot be opened. Look at its folder and the rights of this user.'],
  ['SQLITE_CORRUPT', 'The file is damaged. Stop, run "npm run verify", restore a backup.'],
  ['SQLITE_NOTADB', 'It is not a tri-agent log. Name another file, or move this one away.'],
];

export type SqliteError = InstanceType<typeof Database.SqliteError>;

/** By its code, not its class: a process may hold several copies of the module, and of its class. */
export function isSqliteError(error: unknown): error is SqliteError {
  return String((error as Partial<SqliteError> | undefined)?.code).startsWith('SQLITE_');
}

export function isBusy(error: unknown): error is SqliteError {
  return isSqliteError(error) && error.code.startsWith('SQLITE_BUSY');
}

/** The log refused an append, for now. */
export function unavailable(file: string, error: SqliteError): LogError {
  return new LogError('LOG_UNAVAILABLE', sentence(`Could not append to ${file}`, error), {
    cause: error,
  });
}

/** The log cannot be opened as things are. */
export function unusable(file: string, error: unknown): LogError {
  return new LogError('LOG_UNUSABLE', sentence(`Could not open ${file}`, error), { cause: error });
}

function sentence(what: string, error: unknown): string {
  const detail = (error as Error).message;
  if (!isSqliteError(error)) return `${what}: ${detail}.`;
  const { code } = error;
  const meaning = meanings.find(([start]) => code.startsWith(start))?.[1];
  return `${what}: ${meaning ?? 'SQLite reported an error.'} (${code}: ${detail})`;
}
