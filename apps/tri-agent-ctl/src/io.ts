import type { HostProcess } from '#platform/processes.js';

/** What the program touches of the outside, so that a test can run it in process. */
export interface Io {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** What is piped in; opened only when it is asked for. */
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** stderr where it is a terminal, for what redraws itself beside the answer. */
  readonly terminal?: NodeJS.WriteStream;
  /** Whether stdout is a terminal. */
  readonly isTTY: boolean;
  now(): Date;
  /** Where days begin; the machine's time zone when absent. */
  readonly timeZone?: string;
  readonly fetch?: typeof fetch;
  /** Where `--scope project` looks; the working directory when absent. */
  readonly cwd?: string;
  /** Ends what follows or redraws. The command then counts as succeeded. */
  readonly signal?: AbortSignal;
  readonly size?: () => { readonly columns: number; readonly rows: number };
  /** Asks the person at the terminal for a line; absent where there is none. Empty: interrupted. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** The processes of this host; those that the operating system tells of when absent. */
  readonly listProcesses?: () => Promise<readonly HostProcess[]>;
  /** Calls the listener for each key pressed; returns what stops that. */
  readonly onKey?: (listener: (key: string) => void) => () => void;
}
