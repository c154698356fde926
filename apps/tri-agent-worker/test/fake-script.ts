/**
 * What a fake agent is to do, step by step. It stands as JSON in the prompt, or, where that holds none, in
 * the environment variable `FAKE_AGENT_SCRIPT`; without either it says `Done.` and succeeds. A script that
 * does not end the run ends it without a result, with exit code 0.
 */
type Step = Telling | Effect;

/** What it says, and how it ends. */
export type Telling =
  | { readonly do: 'say'; readonly text: string }
  | { readonly do: 'tool'; readonly command: string }
  /** Its provider refuses, and it tries again by itself. */
  | { readonly do: 'retry'; readonly statusCode: number; readonly waitMs: number }
  | { readonly do: 'succeed'; readonly text: string }
  | { readonly do: 'fail'; readonly text: string }
  /** Its provider refused too often. */
  | { readonly do: 'give-up'; readonly statusCode: number }
  /** Without a result. */
  | { readonly do: 'exit'; readonly code: number }
  /** For ever. */
  | { readonly do: 'hang' }
  /** Says something now and again, for ever. */
  | { readonly do: 'talk'; readonly everyMs: number }
  /** Makes a request of so many tokens now and again, for ever; how many there were goes into the file. */
  | {
      readonly do: 'spend';
      readonly inputTokens: number;
      readonly everyMs: number;
      readonly file: string;
    }
  | { readonly do: 'ignore-term' };

/** What else it prints, or leaves behind. */
export type Effect =
  | { readonly do: 'print'; readonly text: string }
  | { readonly do: 'print-line-of'; readonly characters: number }
  | { readonly do: 'complain'; readonly text: string }
  | { readonly do: 'write'; readonly file: string; readonly text: string }
  /** Its arguments, environment, folder and prompt, as JSON. */
  | { readonly do: 'write-how-started'; readonly file: string }
  /**
   * A process in a group of its own that holds on to the standard output and ends only when it is killed.
   * Its id goes into the file.
   */
  | { readonly do: 'spawn'; readonly file: string }
  /** A process without its environment, its session and its parent; the mark is among its arguments. */
  | { readonly do: 'hide'; readonly mark: string }
  /** Only where that file is not there yet; it is made. So the next attempt goes another way. */
  | { readonly do: 'once'; readonly file: string; readonly steps: readonly Step[] };

export type Script = readonly Step[];

export function promptOf(script: Script): string {
  return JSON.stringify(script);
}
