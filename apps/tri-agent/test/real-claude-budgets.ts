import type { ServerProcess } from '#platform/server-process.js';
import { runCli } from './cli-process.js';
import { waitUntil } from './support.js';

export type Check = readonly [what: string, holds: boolean];

/** By the command line, as an operator has it. Rejects when it is refused. */
export async function tellBudgets(
  server: ServerProcess,
  ...words: readonly string[]
): Promise<void> {
  const { exit, out, err } = await runCli(server, ['budgets', ...words]);
  if (exit !== 0) throw new Error(`budgets ${words.join(' ')}: ${out}${err}`);
}

/** For good, with the steps of every new budget unless others are named. */
export function setBudget(
  server: ServerProcess,
  id: string,
  scope: string,
  limitUsd: string,
  ...more: readonly string[]
): Promise<void> {
  const wish = ['--scope', scope, '--per', 'total', '--limit-usd', limitUsd, ...more];
  return tellBudgets(server, 'set', id, ...wish);
}

export async function standsAt(server: ServerProcess, id: string, step: string): Promise<void> {
  await waitUntil(`budget ${id} stands at ${step}`, async () => {
    const answer = await server.get(`/api/v1/budgets/${id}`);
    return ((await answer.json()) as { standing: string }).standing === step;
  });
}
