import { limits } from '#kernel/limits.js';
import { clean } from '#platform/harmless-text.js';
import * as shapes from '../budgets/shapes.js';
import { amountOf, limitOf, spentOf, standingOf, standingStyle } from '../budgets/words.js';
import { isNotFound, type Asker } from '../client.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { formatFill, nothing } from '../render/numbers.js';
import { pairLines, tableLines, type Column } from '../render/table.js';
import { formatTime } from '../render/times.js';

const path = '/api/v1/budgets';
const pathOf = (id: string): string => `${path}/${encodeURIComponent(id)}`;

export async function listBudgets(client: Asker, output: Output): Promise<void> {
  const page = await client.list(path, shapes.budget, limits.listItemsMax);
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines(
      'There are no budgets: nothing limits what is spent.',
      output.paint('dim', 'Make one: tri-agent-ctl budgets set day --per day --limit-usd 75'),
    );
    return;
  }
  output.lines(...tableLines(columns, page.items, output.paint, output.io.size?.().columns));
  const unpriced = page.items.some(({ unpricedRequests }) => (unpricedRequests ?? 0) > 0);
  if (unpriced)
    output.lines(output.paint('dim', '+? : requests without a known price come on top.'));
}

const columns: readonly Column<shapes.Budget>[] = [
  { head: 'BUDGET', cell: ({ budgetId }) => budgetId },
  { head: 'SCOPE', cell: ({ scope }) => scope },
  { head: 'LIMIT', cell: limitOf, align: 'right' },
  { head: 'SPENT', cell: spentOf, align: 'right' },
  {
    head: 'USED',
    cell: ({ percent }) => fillOf(percent),
    dispensable: 2,
  },
  { head: 'STANDING', cell: standingOf, style: standingStyle },
  {
    head: 'UNTIL',
    cell: ({ window, windowEnd }) => (window === 'minute' ? nothing : formatTime(windowEnd)),
    dispensable: 1,
  },
];

function fillOf(percent: number | null | undefined): string {
  return typeof percent === 'number' ? formatFill(percent / 100) : nothing;
}

export async function showBudget(client: Asker, output: Output, id: string): Promise<void> {
  const budget = await client.get(pathOf(id), shapes.budget).catch(unknownAs(id));
  if (output.json) {
    output.document(budget);
    return;
  }
  output.lines(...linesOf(budget, output));
}

function linesOf(budget: shapes.Budget, output: Output): string[] {
  const { thresholds, percent, remainingUsd, remainingTokens, estimatedUsd } = budget;
  const steps = Object.entries(thresholds ?? {})
    .filter(([, at]) => typeof at === 'number')
    .map(([step, at]) => `${step} ${String(at)} %`);
  const left = amountOf({ usd: remainingUsd, tokens: remainingTokens });
  return pairLines(
    [
      ['budget', budget.budgetId],
      ['scope', budget.scope],
      ['limit', limitOf(budget)],
      ['steps', [...steps, 'trip 100 %'].join(', ')],
      ['time zone', budget.timezone ?? nothing],
      ['window', `${formatTime(budget.windowStart)} to ${formatTime(budget.windowEnd)}`],
      ['spent', `${spentOf(budget)}${typeof percent === 'number' ? `, ${fillOf(percent)}` : ''}`],
      ['estimated', amountOf({ usd: estimatedUsd, tokens: null })],
      ['left', left],
      ['standing', standingOf(budget)],
      ['because', budget.reason ?? ''],
    ],
    output.paint,
  );
}

export async function setBudget(
  client: Asker,
  output: Output,
  id: string,
  wish: object,
): Promise<void> {
  tell(output, await client.put(pathOf(id), shapes.changed, wish), 'set');
}

export async function moveBudget(
  client: Asker,
  output: Output,
  verb: 'raise' | 'reset',
  id: string,
  wish: object,
): Promise<void> {
  const answer = await client
    .post(`${pathOf(id)}/${verb}`, shapes.changed, wish)
    .catch(unknownAs(id));
  tell(output, answer, verb === 'raise' ? 'raised' : 'reset');
}

function tell(output: Output, answer: shapes.Changed, done: 'set' | 'raised' | 'reset'): void {
  if (output.json) {
    output.document(answer);
    return;
  }
  const id = clean(answer.budgetId);
  const unchanged = done === 'reset' ? 'had not tripped' : 'was so already';
  output.lines(answer.changed ? `Budget ${id} is ${done}.` : `Budget ${id} ${unchanged}.`);
  output.lines(...linesOf(answer, output));
  for (const warning of answer.warnings) output.note(warning);
  if (answer.standing !== 'trip' || done === 'reset') return;
  output.lines(
    output.paint('dim', `It has tripped: tri-agent-ctl budgets reset ${id} --reason "..."`),
  );
}

export async function removeBudget(
  client: Asker,
  output: Output,
  id: string,
  reason: string,
): Promise<void> {
  await client.delete(pathOf(id), { reason }).catch(unknownAs(id));
  if (output.json) output.document({ budgetId: id, removed: true });
  else output.lines(`Budget ${clean(id)} is removed.`);
}

export async function budgetHistory(
  client: Asker,
  output: Output,
  id: string,
  limit: number,
): Promise<void> {
  const page = await client.list(`${pathOf(id)}/history`, shapes.past, limit).catch(unknownAs(id));
  if (output.json) {
    output.document(page);
    return;
  }
  output.lines(...tableLines(pastColumns, page.items, output.paint, output.io.size?.().columns));
}

const happened: Readonly<Record<string, string>> = {
  BudgetSet: 'set',
  BudgetRemoved: 'removed',
  BudgetThresholdCrossed: 'crossed',
  BudgetTripped: 'tripped',
  BudgetEased: 'eased',
  BudgetReset: 'reset',
};

const pastColumns: readonly Column<shapes.Past>[] = [
  { head: 'AT', cell: ({ at }) => formatTime(at) },
  { head: 'WHAT', cell: ({ type }) => happened[type] ?? type },
  {
    head: 'STEP',
    cell: ({ step, percent }) =>
      typeof step === 'string' ? `${step}, ${percent ?? 0} %` : nothing,
  },
  {
    head: 'SPENT',
    cell: (it) => amountOf({ usd: it.spentUsd, tokens: it.spentTokens }),
    align: 'right',
  },
  {
    head: 'LIMIT',
    cell: (it) => amountOf({ usd: it.limitUsd, tokens: it.limitTokens }),
    align: 'right',
  },
  { head: 'BY', cell: ({ actor }) => actor, dispensable: 2 },
  { head: 'WHY', cell: ({ reason }) => reason ?? '', dispensable: 1 },
];

function unknownAs(id: string) {
  return (error: unknown): never => {
    if (!isNotFound(error)) throw error;
    throw new Failure(
      'budget_not_found',
      `There is no budget "${id}".`,
      'See which there are with "tri-agent-ctl budgets".',
    );
  };
}
