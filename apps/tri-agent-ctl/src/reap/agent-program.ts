import { posix } from 'node:path';
import type { HostProcess } from '#platform/processes.js';

export type AgentProgram = 'claude' | 'codex' | 'gemini';

const packages: Readonly<Record<AgentProgram, string>> = {
  claude: '@anthropic-ai/claude-code',
  codex: '@openai/codex',
  gemini: '@google/gemini-cli',
};
const programs = Object.keys(packages) as AgentProgram[];

const runtime = /^(node|nodejs|bun|deno)[\d.]*$/;
/** Options of Node that take their value from the argument behind them. */
const withValue = new Set(['-r', '--require', '--import', '--loader', '-C', '--conditions']);
const withoutScript = new Set(['-e', '--eval', '-p', '--print', '-pe']);

/**
 * Which agent a process is, by the program that runs and, where a runtime runs, by its script. A
 * command line that only speaks of an agent (an editor, a search, a prompt) makes it none.
 */
export function agentProgramOf({
  executable,
  arguments: given,
}: Pick<HostProcess, 'executable' | 'arguments'>): AgentProgram | undefined {
  const [own = '', ...rest] = given;
  const runs = executable ?? own;
  const native = named(runs);
  if (native !== undefined) return native;
  // Claude Code's own installer names the program by its version.
  if (/\/claude\/versions\/[^/]+$/.test(runs)) return 'claude';
  if (!runtime.test(posix.basename(runs))) return undefined;
  // Claude Code and others give themselves a title, and nothing else is left of their command line.
  if (rest.length === 0) return named(own);
  const script = scriptOf(rest);
  if (script === undefined) return undefined;
  return named(script) ?? programs.find((it) => script.includes(`/node_modules/${packages[it]}/`));
}

function named(path: string): AgentProgram | undefined {
  const name = posix.basename(path);
  return programs.find((it) => it === name);
}

function scriptOf(given: readonly string[]): string | undefined {
  for (let at = 0; at < given.length; at += 1) {
    const argument = given[at] ?? '';
    if (withoutScript.has(argument)) return undefined;
    if (withValue.has(argument)) at += 1;
    else if (!argument.startsWith('-')) return argument;
  }
  return undefined;
}
