import { limits } from '#kernel/limits.js';
import { clean } from '#platform/harmless-text.js';
import { maybe, record } from '../checks.js';
import { isNotFound, type Asker } from '../client.js';
import { readText } from '../dispatch/read-text.js';
import { exitCode, Failure } from '../failure.js';
import * as shapes from '../notify-shapes.js';
import type { Output } from '../output.js';
import { nothing } from '../render/numbers.js';
import { pairLines, tableLines, type Column } from '../render/table.js';
import { formatAge, formatTime } from '../render/times.js';

const path = '/api/v1/webhooks';

export async function listWebhooks(client: Asker, output: Output): Promise<void> {
  const page = await client.list(path, shapes.webhook, limits.listItemsMax);
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines('Nobody is told by webhook. "tri-agent-ctl webhooks add <url>" changes that.');
    return;
  }
  const now = output.io.now();
  const columns: readonly Column<shapes.Webhook>[] = [
    { head: 'WEBHOOK', cell: ({ webhookId }) => webhookId },
    { head: 'URL', cell: ({ url }) => url },
    { head: 'KINDS', cell: ({ kinds }) => kinds.join(', ') || 'all', dispensable: 2 },
    {
      head: 'STATE',
      cell: ({ state }) => state,
      style: ({ state }) => (state === 'active' ? undefined : 'red'),
    },
    { head: 'WAITING', cell: ({ deliveries }) => String(deliveries.pending), align: 'right' },
    { head: 'PARKED', cell: ({ deliveries }) => String(deliveries.parked), align: 'right' },
    {
      head: 'DELIVERED',
      cell: ({ deliveries }) => String(deliveries.delivered),
      align: 'right',
      dispensable: 1,
    },
    {
      head: 'LAST',
      cell: ({ lastDeliveredAt }) => formatAge(lastDeliveredAt, now),
      align: 'right',
      dispensable: 3,
    },
  ];
  output.lines(...tableLines(columns, page.items, output.paint, output.io.size?.().columns));
  for (const { webhookId, disabledBecause } of page.items) {
    if (disabledBecause) output.note(`${webhookId} is disabled: ${disabledBecause}`);
  }
}

export interface AddWish {
  readonly kind?: readonly string[];
  readonly allowPrivate: boolean;
  readonly secretFile?: string;
}

export async function addWebhook(
  client: Asker,
  output: Output,
  url: string,
  { kind, allowPrivate, secretFile }: AddWish,
): Promise<void> {
  const wish = { url, kinds: kind ?? [], allowPrivate, ...(await secretOf(output, secretFile)) };
  const made = await client.post(path, shapes.webhookWithSecret, wish);
  tellSecret(output, made, `Webhook ${clean(made.webhookId)} gets notices from now on.`);
  if (!output.json) output.note(`Try it: tri-agent-ctl webhooks test ${made.webhookId}`);
}

export async function rotateSecret(
  client: Asker,
  output: Output,
  webhookId: string,
  wish: Pick<AddWish, 'secretFile'>,
): Promise<void> {
  const secret = await secretOf(output, wish.secretFile);
  const route = `${path}/${encodeURIComponent(webhookId)}/rotate`;
  const changed = await client
    .post(route, shapes.webhookWithSecret, secret)
    .catch(explainUnknown(webhookId));
  const until = formatTime(changed.oldSecretUntil);
  const sentence = `Webhook ${clean(webhookId)} has another secret; the old one is used beside it until ${until}.`;
  tellSecret(output, changed, sentence);
}

export async function removeWebhook(
  client: Asker,
  output: Output,
  webhookId: string,
  wish: { readonly reason?: string },
): Promise<void> {
  const route = `${path}/${encodeURIComponent(webhookId)}/remove`;
  await client.post(route, maybe(record), wish).catch(explainUnknown(webhookId));
  if (output.json) output.document({ webhookId, removed: true });
  else output.lines(`Webhook ${clean(webhookId)} gets nothing any more.`);
}

/** Returns the exit code: a test that did not get through has failed. */
export async function testWebhook(
  client: Asker,
  output: Output,
  webhookId: string,
): Promise<number> {
  const route = `${path}/${encodeURIComponent(webhookId)}/test`;
  const outcome = await client.post(route, shapes.testOutcome, {}).catch(explainUnknown(webhookId));
  const { delivered, reason, answer, durationMs } = outcome;
  if (output.json) output.document(outcome);
  else {
    output.lines(
      ...pairLines(
        [
          ['delivered', delivered ? 'yes' : 'no'],
          ['what came back', reason],
          ['its answer', answer || nothing],
          ['it took', `${durationMs} ms`],
        ],
        output.paint,
      ),
    );
  }
  return delivered ? exitCode.ok : exitCode.failed;
}

/** The secret is no word of the command line, where others on the host could read it. */
async function secretOf(
  output: Output,
  file: string | undefined,
): Promise<{ readonly secret?: string }> {
  if (file === undefined) return {};
  return { secret: (await readText(output.io, file, limits.tokenCharactersMax)).trim() };
}

function tellSecret(output: Output, changed: shapes.WebhookWithSecret, sentence: string): void {
  if (output.json) {
    output.document(changed);
    return;
  }
  output.lines(sentence);
  if (changed.secret === null) return;
  output.lines(`Its secret, which is told only now: ${clean(changed.secret)}`);
  output.lines(
    output.paint('dim', 'The receiver checks signatures with it, by Standard Webhooks.'),
  );
}

function explainUnknown(webhookId: string) {
  return (error: unknown): never => {
    if (!isNotFound(error)) throw error;
    throw new Failure(
      'webhook_not_found',
      `There is no webhook "${webhookId}".`,
      'See which there are with "tri-agent-ctl webhooks list".',
    );
  };
}
