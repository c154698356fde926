import { hostname } from 'node:os';
import { limits } from '#kernel/limits.js';
import { identityOf } from '#platform/processes.js';
import { readToken } from '../address.js';
import { exitCode } from '../failure.js';
import type { Io } from '../io.js';
import { quickPost } from '../quick-get.js';

export interface HookWish {
  readonly url: string;
  readonly tokenFile: string;
  readonly parent?: number;
  /** Whether the agent is to stop when the server does not answer. */
  readonly closed: boolean;
}

/** What every agent understands as "not this": it shows what was printed on stderr. */
const BLOCKED = 2;

/** What the server wants of a hook: everything else, content above all, stays here. */
const wanted = [
  'session_id',
  'hook_event_name',
  'cwd',
  'prompt_id',
  'turn_id',
  'source',
  'trigger',
  'reason',
  'error',
];

/**
 * Hands on what an agent's hook was given, with the agent's process, and prints what the server answers.
 * It takes no longer than its limit, and whatever fails does not show: the agent goes on, unless it is
 * to stop then.
 *
 * @returns the exit code for the agent.
 */
export async function tellHook(agent: string, io: Io, wish: HookWish): Promise<number> {
  const late = AbortSignal.timeout(limits.hookWaitMs);
  try {
    const answer = await answerTo(agent, io, wish, late);
    if (answer !== '{}') io.stdout.write(`${answer}\n`);
    return exitCode.ok;
  } catch {
    if (!wish.closed) return exitCode.ok;
    const goOn =
      agent === 'claude-code'
        ? 'let agents go on without it: tri-agent-ctl connect claude --write --hooks open'
        : 'take --closed out of its hooks.';
    io.stderr.write(
      `tri-agent does not answer at ${wish.url}, and the agent was told to stop then. Start the server, or ${goOn}\n`,
    );
    return BLOCKED;
  }
}

async function answerTo(
  agent: string,
  io: Io,
  { url, tokenFile, parent }: HookWish,
  late: AbortSignal,
): Promise<string> {
  const identity = parent === undefined ? undefined : identityOf(parent);
  const given = JSON.parse(await readPiped(io, late)) as Record<string, unknown>;
  const body = JSON.stringify({
    ...Object.fromEntries(wanted.map((name) => [name, given[name]])),
    ...(identity && { tri_agent: { host: hostname(), ...identity } }),
  });
  const headers = { authorization: `Bearer ${readToken(tokenFile) ?? ''}` };
  const answer = await quickPost(`${url}/api/v1/hooks/${agent}`, headers, body, late);
  if (answer?.ok !== true) throw new Error(`It answered ${answer?.status ?? 'nothing'}.`);
  let text = '';
  for await (const piece of answer.body ?? []) text += String(piece);
  return text;
}

/** @throws {Error} when it does not end in time, or is larger than what the server would take. */
async function readPiped(io: Io, late: AbortSignal): Promise<string> {
  const piped = io.stdin?.() as AsyncIterable<Uint8Array> & { destroy?: (error: Error) => void };
  // Somebody who types this by hand ends no input: left open, it would keep the process waiting.
  late.addEventListener('abort', () => piped.destroy?.(late.reason as Error), { once: true });
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of piped) {
    bytes += piece.length;
    if (bytes > limits.apiBodyBytesMax) throw new Error('It is too large.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
