import type { UsageToPrice } from '#kernel/price-shapes.js';

/**
 * What the worker has to know of an agent's command line; each agent is one such object. All of it is
 * pure: finding the program, starting it and reading its lines is the worker's.
 */
export interface AgentRunner {
  /** As the server calls it. */
  readonly id: 'claude-code' | 'codex' | 'gemini';
  readonly title: string;
  /**
   * The program is where its variable says, else the first of that name on PATH. What npm puts there may
   * be a launcher that outlives, or is outlived by, the agent itself: Codex's starts a native binary
   * (`codex-<platform>/vendor/<target>/bin/codex`) that goes on when only the launcher is killed. So kill
   * the process group, or name the native binary in the variable.
   */
  readonly program: { readonly name: string; readonly variable: string };
  /** How to start it for a task, or why it will not be started. */
  invocation(task: Task, options: RunOptions): Invocation | Refusal;
  /** For one process. @param isResumed whether it carries on an earlier session. */
  reader(isResumed: boolean): Reader;
}

/** The part of a claimed task that concerns the agent. */
export interface Task {
  readonly taskId: string;
  readonly attemptId: string;
  readonly prompt: string;
  /** Null: the agent's own choice. */
  readonly model: string | null;
  readonly team: string | null;
  readonly project: string | null;
  /** As one of the agents' command lines names it; null: what the agent does when nothing is allowed. */
  readonly permissionMode: string | null;
  /** Tools that may run without asking, as the agent's command line names them. */
  readonly allowedTools: readonly string[];
  /** The session of an earlier attempt that is to be carried on. */
  readonly resumedSessionId: string | null;
  /** What the task may cost in all, US dollars with nine digits after the point; null: nobody said. */
  readonly maxCostUsd: string | null;
}

export interface RunOptions {
  /** A UUID for a new session, where the agent lets one choose it. */
  readonly newSessionId: string;
  /** Whether whoever runs the worker lets tasks skip all permissions on this host. */
  readonly maySkipPermissions: boolean;
  /** The worker's own. Only what concerns the agent is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Further variables of it to hand on, such as the key of a provider of one's own. */
  readonly passedVariables: readonly string[];
  readonly telemetry: TelemetryTarget | null;
}

export interface TelemetryTarget {
  /** The OTLP/HTTP base URL, such as `http://127.0.0.1:4318`. */
  readonly endpoint: string;
  /**
   * Only where the receiver asks for one. The agent, and whatever it runs, can read it: so it must open
   * nothing else.
   */
  readonly token: string | null;
}

export interface Invocation {
  readonly is: 'run';
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What to write to its standard input, which is then closed. */
  readonly stdin: string;
}

/** Trying again is no use: the task, or the worker's settings, have to change. */
export interface Refusal {
  readonly is: 'refused';
  readonly error: string;
}

/** Hears what one process prints and makes sense of how it ended. Nothing it is given makes it throw. */
export interface Reader {
  /**
   * A line of its standard output, of at most `limits.agentLineCharactersMax`.
   * @param isCut whether the line was longer, and is only its beginning.
   */
  line(text: string, isCut: boolean): readonly News[];
  /**
   * Whether the last line ended a step of its work, what a tool came to or what it had to say: ended here,
   * nothing of that is lost.
   */
  readonly isAtPause: boolean;
  end(exit: Exit): Outcome;
}

export interface Exit {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last of what it printed to standard error. */
  readonly stderrTail: string;
}

/** What people want to see while it works. Its texts are the agent's, so they are clipped but not harmless. */
export type News =
  | { readonly is: 'session'; readonly sessionId: string }
  /** A tool call, a step of its plan; `percent` where there is a plan, from 0 to 100. */
  | { readonly is: 'progress'; readonly what: string; readonly percent?: number }
  /** What the agent says. */
  | { readonly is: 'text'; readonly text: string }
  /** Its provider refused, and the agent tries again by itself. Null: not told. */
  | {
      readonly is: 'retry';
      readonly statusCode: number | null;
      readonly retryAfterMs: number | null;
    }
  /**
   * A part of what a request used, told while it is still at work: nothing of it is told twice. What was put
   * out is estimated. For a worker that is cut off; what counts is what telemetry tells.
   */
  | { readonly is: 'usage'; readonly usage: UsageTold };

export type UsageTold = Omit<UsageToPrice, 'agent' | 'provider' | 'occurredAt'>;

export type Outcome = Completed | Failed;

export interface Completed {
  readonly is: 'completed';
  /** The agent's last answer; may be empty. */
  readonly result: string;
  readonly sessionId: string | null;
  /** Null when the agent did not say, or nothing that can be. */
  readonly tokens: Tokens | null;
  /** Null when the agent told none. */
  readonly costNanoUsd: number | null;
  /** What tokens and cost are of: some agents only tell those of the whole session, earlier runs included. */
  readonly covers: 'run' | 'session';
}

/** `input` without what was cached, `output` with what was reasoned. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheCreation: number;
  /** Null where the agent does not say. */
  readonly reasoning: number | null;
}

export interface Failed {
  readonly is: 'failed';
  /** One sentence that says what happened. */
  readonly error: string;
  /** Whether the same task can succeed when tried again. */
  readonly retryable: boolean;
  /** Of the session that can be carried on. */
  readonly sessionId: string | null;
  /** What was to be carried on is not there: begun anew, the same task can succeed. */
  readonly isConversationGone?: true;
  /** What the provider answered in the end. */
  readonly statusCode?: number;
  /** How long the provider itself asked to be left alone. */
  readonly retryAfterMs?: number;
}
