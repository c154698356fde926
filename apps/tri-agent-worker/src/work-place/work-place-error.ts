/** Why an attempt has no place to work, or its work could not be saved: one sentence for a person. */
export class WorkPlaceError extends Error {
  override readonly name = 'WorkPlaceError';

  constructor(
    message: string,
    /** Whether the same attempt may succeed later though nobody changes the task. */
    readonly retryable: boolean,
  ) {
    super(message);
  }
}
