/** Tokens as Gemini CLI counts them. Its total is the sum of all but `cached`. */
export interface ClientTokens {
  /** The whole prompt, cached part included. */
  readonly input: number;
  readonly cached: number;
  /** What tools that run beside the model added to the prompt; not in `input`. */
  readonly tool: number;
  /** Without thoughts. */
  readonly output: number;
  readonly thoughts: number;
}

/**
 * The same tokens as events count them, where none is counted twice. Undefined when one of them is
 * more than a number can hold.
 */
export function tokensApart({ input, cached, tool, output, thoughts }: ClientTokens) {
  const apart = {
    // The client's own results count it so, should more be cached than was asked.
    inputTokens: Math.max(0, input - cached) + tool,
    outputTokens: output + thoughts,
    cacheReadTokens: cached,
  };
  return Object.values(apart).every((amount) => Number.isSafeInteger(amount)) ? apart : undefined;
}
