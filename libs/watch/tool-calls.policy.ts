import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Newest } from './newest.policy.js';

export interface ToolRow {
  readonly what: 'tool' | 'repetition';
  readonly name: string;
  readonly times: number;
  readonly sinceMs: number;
  readonly error: string;
}

type Finished = DataOf<'ToolFinished'>;

/**
 * The calls of a session that came to the same, one directly after the other. Any other call between
 * ends the row: who edits between two failing runs of the tests gets on.
 *
 * A call that succeeds counts as the same only when tool, size of input and size of result agree, twenty
 * answers in a row. An agent that reads, edits or tests its way through a task changes one of them
 * sooner; what is left is the agent that asks for the same thing again and again, or waits for something by
 * asking a model each time, and that is what somebody wants to know. Calls of one answer count once, as they
 * were decided on once.
 */
export class ToolCalls {
  private key = '';
  private requestId: string | undefined;
  private times = 0;
  private sinceMs = 0;
  private readonly raisedMs = new Newest<{ atMs: number }>(limits.loopRowsPerSessionMax);

  finished(call: Finished, atMs: number): ToolRow | undefined {
    const { toolName, succeeded, errorType = '' } = call;
    if (succeeded) this.raisedMs.delete(latchOf('tool', toolName));
    const key = keyOf(call);
    const isFollowing = key !== undefined && key === this.key;
    if (!isFollowing) this.begin(key ?? '', atMs);
    const isOfSameAnswer =
      isFollowing && call.requestId !== undefined && call.requestId === this.requestId;
    this.requestId = call.requestId;
    if (key === undefined || isOfSameAnswer) return undefined;
    this.times += 1;
    const what = succeeded ? 'repetition' : 'tool';
    if (this.times < (succeeded ? limits.sameCallsMax : limits.failedToolsMax)) return undefined;
    if (this.isQuiet(what, toolName, atMs)) return undefined;
    this.raised(what, toolName, atMs);
    const error = succeeded ? '' : errorType;
    return { what, name: toolName, times: this.times, sinceMs: this.sinceMs, error };
  }

  /** It was raised then, as the log says. */
  raised(what: ToolRow['what'], name: string, atMs: number): void {
    const latch = this.raisedMs.touch(latchOf(what, name), () => ({ atMs }));
    latch.atMs = Math.max(latch.atMs, atMs);
  }

  private begin(key: string, atMs: number): void {
    this.key = key;
    this.times = 0;
    this.sinceMs = atMs;
  }

  private isQuiet(what: ToolRow['what'], name: string, atMs: number): boolean {
    const latch = this.raisedMs.get(latchOf(what, name));
    return latch !== undefined && atMs < latch.atMs + limits.loopQuietMs;
  }
}

function latchOf(what: ToolRow['what'], name: string): string {
  return `${what} ${name}`;
}

/** What calls that are the same have in common; undefined where too little is told to say so. */
function keyOf({ toolName, succeeded, errorType, inputBytes, resultBytes }: Finished) {
  if (!succeeded) return JSON.stringify([toolName, errorType ?? '']);
  if (inputBytes === null || resultBytes === null) return undefined;
  return JSON.stringify([toolName, inputBytes, resultBytes]);
}
