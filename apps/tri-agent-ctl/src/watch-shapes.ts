import { count, list, name, object, orNull, text, type Of } from './checks.js';

/** What the server answers of agents at work, as far as it is read here. */

const session = { agent: text, sessionId: name, taskId: orNull(text) };

const silent = object({
  ...session,
  model: orNull(text),
  silentMs: count,
  usdPerMinute: orNull(text),
  estimatedUsd: orNull(text),
});
export type SilentSession = Of<typeof silent>;

const loop = object({
  ...session,
  what: text,
  name: text,
  times: count,
  detectedAt: text,
  error: text,
});
export type Loop = Of<typeof loop>;

export const watch = object({
  silentAfterMs: count,
  silentSessions: count,
  estimatedUsd: text,
  silent: list(silent),
  loops: list(loop),
});
export type Watch = Of<typeof watch>;
