/**
 * SQLite's name for what went wrong, such as `SQLITE_BUSY`; empty when the error is none of SQLite's.
 * By its code rather than its class, which differs between threads and module copies.
 */
export function sqliteCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  const { code } = error;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : '';
}
