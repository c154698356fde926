export const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** What the person at the terminal is told: what happened, and what to do next. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly exit: number = exitCode.failed,
  ) {
    super(message);
  }
}

/** The reason in words that Node or an operating system gives for an error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `ENOENT`, `ECONNREFUSED` ... of an error or of what caused it. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return systemCodeOf(error.cause);
}
