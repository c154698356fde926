import { limits } from '#kernel/limits.js';
import { clean, clip } from '#platform/harmless-text.js';
import type { Asker } from '../client.js';
import * as shapes from '../notify-shapes.js';
import type { Output } from '../output.js';
import type { Style } from '../render/paint.js';
import { formatTime } from '../render/times.js';

export interface NoticesWish {
  readonly limit: number;
  readonly kind?: string;
  readonly severity?: string;
}

/** What people were told of, the newest first. */
export async function listNotices(
  client: Asker,
  output: Output,
  { limit, kind, severity }: NoticesWish,
): Promise<void> {
  const filter = { kind, severity };
  const page = await client.list('/api/v1/notices', shapes.notice, limit, filter);
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines('Nothing has happened that somebody would have to be told of.');
    return;
  }
  for (const notice of page.items) output.lines(...linesOf(notice, output));
  if (page.nextCursor !== null) output.note('There are more: --limit shows them.');
}

const styles: Readonly<Record<string, Style>> = { critical: 'red', warning: 'yellow' };

function linesOf({ severity, title, text, occurredAt, deliveries }: shapes.Notice, output: Output) {
  const style = styles[severity];
  const head = harmless(severity).padEnd('critical'.length);
  const painted = style === undefined ? head : output.paint(style, head);
  const told = deliveries.map(({ webhookId, state, reason }) =>
    harmless(`${state}: webhook ${webhookId}${reason ? `. ${reason}` : ''}`),
  );
  return [
    `${formatTime(occurredAt)}  ${painted}  ${harmless(title)}`,
    `  ${harmless(text)}`,
    ...told.map((line) => output.paint('dim', `  ${line}`)),
  ];
}

function harmless(text: string): string {
  return clip(clean(text), limits.lineCharactersMax);
}
