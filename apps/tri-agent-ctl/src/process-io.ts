import type { Io } from './io.js';

/** The real outside. The first interrupt asks to end; a second one ends at once. */
export function processIo(): Io {
  const { stdout, stderr } = process;
  const ending = new AbortController();
  const interrupt = (): void => {
    if (ending.signal.aborted) process.exit(130);
    ending.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.on('SIGHUP', interrupt);
  // A reader such as `head` that has seen enough closes the pipe: that is no failure.
  stdout.on('error', () => process.exit(0));
  return {
    stdout,
    stderr,
    stdin: () => process.stdin,
    ...(stderr.isTTY && { terminal: stderr }),
    env: process.env,
    isTTY: stdout.isTTY,
    now: () => new Date(),
    cwd: process.cwd(),
    signal: ending.signal,
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    // Looked at only by who wants to ask.
    get ask() {
      if (!process.stdin.isTTY || !stderr.isTTY) return undefined;
      return (question: string) => ask(question, ending.signal);
    },
    onKey: (listener) => {
      // Opened only here: a short answer has no use for it.
      const { stdin } = process;
      if (!stdin.isTTY) return () => undefined;
      const onData = (data: Buffer): void => {
        listener(data.toString('utf8'));
      };
      stdin.setRawMode(true).on('data', onData).resume();
      return () => {
        stdin.off('data', onData).setRawMode(false).pause();
      };
    },
  };
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline');
  // Left to the terminal itself, Ctrl-C is the interrupt that ends every command.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  return new Promise((resolve) => {
    const stop = (): void => {
      lines.close();
    };
    signal.addEventListener('abort', stop, { once: true });
    lines.once('close', () => {
      signal.removeEventListener('abort', stop);
      resolve('');
    });
    lines.question(question, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}
