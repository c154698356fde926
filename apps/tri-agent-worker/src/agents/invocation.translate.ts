import { limits } from '#kernel/limits.js';
import type { Refusal, RunOptions, TelemetryTarget, Task } from './agent.js';
import { refused } from './permissions.translate.js';

/** What starting an agent has in common, whichever it is. */

/** What any program needs to find its things and the network. */
const common =
  /^(?:HOME|PATH|USER|LOGNAME|SHELL|TERM|TZ|TMPDIR|LANG|LANGUAGE|LC_[A-Z]+|XDG_[A-Z_]+|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|ALL|NO)_PROXY)$/i;

/** The server's tokens are among these. */
const ours = /^TRI_AGENT_/i;

/**
 * The agent's whole environment: what is common, what the person set for this agent's vendor, what they
 * named, and what binds it to its task. Nothing else that the worker knows gets there.
 * @param vendor matches the names of the variables that are the agent's or its vendor's.
 */
export function environmentFor(
  { taskId, attemptId }: Task,
  { environment, passedVariables }: RunOptions,
  vendor: RegExp,
  set: Readonly<Record<string, string>>,
): Record<string, string> {
  const passed = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      !ours.test(entry[0]) &&
      (common.test(entry[0]) || vendor.test(entry[0]) || passedVariables.includes(entry[0])),
  );
  return {
    ...Object.fromEntries(passed),
    ...set,
    TRI_AGENT_TASK_ID: withoutNul(taskId),
    TRI_AGENT_ATTEMPT_ID: withoutNul(attemptId),
  };
}

/** As the translators of telemetry read them. */
function attributesOf({ taskId, attemptId, team, project }: Task): [string, string][] {
  const attributes: [string, string | null][] = [
    ['task.id', taskId],
    ['attempt.id', attemptId],
    ['team.id', team],
    ['project.name', project],
  ];
  return attributes.filter((pair): pair is [string, string] => pair[1] !== null);
}

/**
 * For OpenTelemetry's SDK for JavaScript, which decodes every value and drops all of them where one is not
 * encoded.
 */
export function encodedAttributes(task: Task): string {
  return attributesOf(task)
    .map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed())}`)
    .join(',');
}

/**
 * For OpenTelemetry's SDK for Rust, which decodes nothing and parts at commas: what holds one is left away,
 * the task says it as well.
 */
export function plainAttributes(task: Task): string {
  return attributesOf(task)
    .filter(([, value]) => !/[,\p{Cc}]/u.test(value))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** In the environment, because a command line can be read by everybody on the host. */
export function headersOf({ token }: TelemetryTarget): Record<string, string> {
  if (token === null) return {};
  return { OTEL_EXPORTER_OTLP_HEADERS: `Authorization=${encodeURIComponent(`Bearer ${token}`)}` };
}

export function withoutNul(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}

/** All three agents name their sessions so; what else they understand may be another session. */
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** What cannot be put on a command line, in words; undefined when all can. */
export function unusable(task: Task): Refusal | undefined {
  const { model, resumedSessionId, allowedTools } = task;
  if (model !== null && !isPlain(model)) {
    return refused('The name of the model is empty, too long or holds control characters.');
  }
  if (resumedSessionId !== null && !uuid.test(resumedSessionId)) {
    return refused('The session to carry on is not named by a UUID, as those of agents are.');
  }
  if (allowedTools.length > limits.agentToolsAllowedMax || !allowedTools.every(isTool)) {
    return refused(
      `A list of allowed tools holds at most ${limits.agentToolsAllowedMax} names such as Edit or Bash(git status).`,
    );
  }
  return undefined;
}

function isPlain(text: string): boolean {
  return (
    text.length > 0 &&
    text.length <= limits.identifierCharactersMax &&
    !/[\p{Cc}\p{Cs}]/u.test(text)
  );
}

/** A name, with what it is allowed for in brackets where it is not allowed for all. */
function isTool(text: string): boolean {
  return isPlain(text) && /^[A-Za-z_][\w.*:-]*(?:\([^()]*\))?$/.test(text);
}
