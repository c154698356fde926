import { limits } from '#kernel/limits.js';
import type { Io } from './io.js';
import { Failure, exitCode, reasonOf } from './failure.js';
import { paintFor, type Paint } from './render/paint.js';
import { clean, clip } from '#platform/harmless-text.js';
import { safeJson } from './render/text.js';

/** Where a command's answer goes: documents and lines for machines, lines for people. */
export class Output {
  readonly paint: Paint;

  constructor(
    readonly io: Io,
    readonly json: boolean,
  ) {
    this.paint = paintFor(io);
  }

  /** Lines that are harmless already (made by `tableLines`, `pairLines` or of `clean` parts). */
  lines(...lines: readonly string[]): void {
    this.io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Text that is harmless already and has its own line ends. */
  text(text: string): void {
    this.io.stdout.write(text);
  }

  /** One JSON document. */
  document(value: unknown): void {
    this.io.stdout.write(`${safeJson(value, 2)}\n`);
  }

  /** One line of newline-delimited JSON. */
  record(value: unknown): void {
    this.io.stdout.write(`${safeJson(value)}\n`);
  }

  /** A word beside the answer, on stderr. */
  note(text: string): void {
    this.io.stderr.write(`${clip(clean(text), limits.lineCharactersMax)}\n`);
  }

  /** Says what went wrong and returns the exit code. */
  fail(error: unknown): number {
    const failure =
      error instanceof Failure
        ? error
        : new Failure(
            'unexpected',
            `Something unexpected happened: ${reasonOf(error)}.`,
            'Please report this sentence together with the command you typed.',
          );
    const { code, message, hint } = failure;
    if (this.json) this.io.stderr.write(`${safeJson({ error: { code, message, hint } })}\n`);
    else {
      this.note(message);
      this.note(hint);
    }
    return failure.exit;
  }
}

export function usageFailure(message: string, hint: string): Failure {
  return new Failure('usage', message, hint, exitCode.usage);
}
