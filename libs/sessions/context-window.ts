/**
 * How many tokens a model's context holds, as far as its agent uses it. Telemetry does not tell, so
 * this is a table; the first pattern that fits counts.
 */
const windows: readonly (readonly [pattern: RegExp, tokens: number])[] = [
  [/\[1m\]$/, 1_000_000],
  [/^claude-(opus|haiku)-5-5/, 1_000_000],
  [/^claude-(opus|sonnet|haiku)-4(-|$)/, 200_000],
  [/^claude-3(-|$)/, 200_000],
  // 95 % of 272,000: Codex keeps the rest for itself.
  [/^gpt-5/, 258_400],
  [/^gpt-6(\.1)?-(astra|sol|luna)/, 258_400],
  [/^gemini-/, 1_048_576],
];

/** Null when the model is not in the table: then nobody knows how full its context is. */
export function contextWindowOf(model: string | null): number | null {
  if (model === null) return null;
  return windows.find(([pattern]) => pattern.test(model))?.[1] ?? null;
}
