export const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** What the person at the terminal is told: what happened, and what to do next. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly exit: number = exitCode.failed,
    /** Where the server said it. */
    readonly httpStatus?: number,
  ) {
    super(message);
  }
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
}

/** Not `instanceof`, which fails for errors from another realm. */
function asErrorLike(error: unknown): ErrorLike {
  return typeof error === 'object' && error !== null ? error : {};
}

/** The reason in words that Node or an operating system gives for an error. */
export function reasonOf(error: unknown): string {
  const { message } = asErrorLike(error);
  return typeof message === 'string' ? message : String(error);
}

export function nameOf(error: unknown): string {
  const { name } = asErrorLike(error);
  return typeof name === 'string' ? name : '';
}

/** `ENOENT`, `ECONNREFUSED` ... of an error or of what caused it. */
export function systemCodeOf(error: unknown): string | undefined {
  const { code, cause } = asErrorLike(error);
  if (typeof code === 'string') return code;
  return cause === undefined ? undefined : systemCodeOf(cause);
}
