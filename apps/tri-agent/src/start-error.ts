/** A start that cannot go on for a reason that a person can mend. The message says which and how. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
