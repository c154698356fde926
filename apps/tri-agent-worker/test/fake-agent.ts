import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync, writeSync } from 'node:fs';
import { text as textFrom } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { dialectOf, type Name } from './fake-dialects.js';
import type { Effect, Script, Telling } from './fake-script.js';

/**
 * Stands in for an agent's command line: `fake-agent.js claude|codex|gemini <its arguments>`. It reads a
 * prompt as they do, prints what they print, and does what its script says.
 */

const [name = 'claude', ...args] = process.argv.slice(2);
if (args.includes('--version')) {
  process.stdout.write('1.2.3 (fake)\n');
  process.exit(0);
}
const dialect = dialectOf(name as Name, args);
const prompt = await textFrom(process.stdin);
let attempt = 0;
let ignoresTerm = false;

process.on('SIGTERM', () => {
  if (!ignoresTerm) process.exit(dialect.exitCodeOfTerm);
  // So that a test can wait for it.
  write(2, 'SIGTERM is ignored.\n');
});
print(dialect.begin(prompt));
await follow(scriptIn(prompt) ?? scriptIn(process.env['FAKE_AGENT_SCRIPT']) ?? done('Done.'));

function done(text: string): Script {
  return [{ do: 'succeed', text }];
}

function scriptIn(text: string | undefined): Script | undefined {
  try {
    const script: unknown = JSON.parse(text ?? '');
    return Array.isArray(script) ? (script as Script) : undefined;
  } catch {
    return undefined;
  }
}

async function follow(script: Script): Promise<void> {
  for (const step of script) {
    if (isTelling(step)) await tell(step);
    else await leave(step);
  }
}

function isTelling(step: Script[number]): step is Telling {
  return [
    'say',
    'tool',
    'retry',
    'succeed',
    'fail',
    'give-up',
    'exit',
    'hang',
    'talk',
    'spend',
    'ignore-term',
  ].includes(step.do);
}

async function tell(step: Telling): Promise<void> {
  switch (step.do) {
    case 'say':
      print(dialect.say(step.text));
      return;
    case 'tool':
      print(dialect.tool(step.command));
      return;
    case 'retry':
      attempt += 1;
      print(dialect.retry(step.statusCode, attempt, step.waitMs));
      await wait(step.waitMs);
      return;
    case 'succeed':
      return end(dialect.succeed(step.text), 0);
    case 'fail':
      return end(dialect.fail(step.text, null), dialect.exitCodeOf(null));
    case 'give-up':
      return end(dialect.fail('Refused', step.statusCode), dialect.exitCodeOf(step.statusCode));
    case 'exit':
      return end([], step.code);
    case 'hang':
      // A timer keeps the process alive, as waiting for a promise would not.
      setInterval(() => undefined, 60_000);
      return new Promise(() => undefined);
    case 'talk':
      setInterval(() => {
        print(dialect.say('Still at it.'));
        print(dialect.toolEnd());
      }, step.everyMs);
      return new Promise(() => undefined);
    case 'spend': {
      let requests = 0;
      setInterval(() => {
        print(dialect.use(step.inputTokens));
        requests += 1;
        writeFileSync(step.file, String(requests));
      }, step.everyMs);
      return new Promise(() => undefined);
    }
    case 'ignore-term':
      ignoresTerm = true;
  }
}

async function leave(step: Effect): Promise<void> {
  switch (step.do) {
    case 'print':
      write(1, `${step.text}\n`);
      return;
    case 'print-line-of':
      write(1, `${'x'.repeat(step.characters)}\n`);
      return;
    case 'complain':
      write(2, `${step.text}\n`);
      return;
    case 'write':
      writeFileSync(step.file, step.text);
      return;
    case 'write-how-started': {
      const how = { args, env: process.env, cwd: process.cwd(), prompt };
      writeFileSync(step.file, JSON.stringify(how));
      return;
    }
    case 'spawn':
      writeFileSync(step.file, String(spawnSurvivor()));
      return;
    case 'hide':
      spawnSync('/bin/sh', ['-c', '(env -i setsid sleep "$0" >/dev/null 2>&1 &)', step.mark]);
      return;
    case 'once':
      if (existsSync(step.file)) return;
      writeFileSync(step.file, '');
      await follow(step.steps);
  }
}

/** Its id. */
function spawnSurvivor(): number | undefined {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 60_000)'], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  child.unref();
  return child.pid;
}

function print(lines: readonly object[]): void {
  for (const line of lines) write(1, `${JSON.stringify(line)}\n`);
}

/** All of it is out when this returns, so that nothing is lost when the process ends right after. */
function write(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // The reader is slower; a pipe takes more as soon as it has read.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

function end(lines: readonly object[], code: number): never {
  print(lines);
  process.exit(code);
}
