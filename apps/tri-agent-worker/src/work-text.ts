import type { News } from './agents/agent.js';
import type { WorkResult } from './work-place/finish.js';

/** What an attempt left in its work place, in sentences for people. */
export function workText({ changes, keptIn, leftOut, leftOutCount }: WorkResult): string[] {
  const sentences: string[] = [];
  if (changes !== null) {
    const { branch, repository, filesChanged, insertions, deletions } = changes;
    sentences.push(
      `Its work is on the branch ${branch} of ${repository}: files changed ${filesChanged}, lines +${insertions} -${deletions}.`,
    );
  }
  if (keptIn !== null) {
    const more = leftOutCount > leftOut.length ? ', ...' : '';
    sentences.push(`Kept for a while in ${keptIn}: ${leftOut.join(', ')}${more}.`);
  }
  return sentences;
}

/** That its provider refused, and when the agent tries again. */
export function retryText({
  statusCode,
  retryAfterMs,
}: Extract<News, { readonly is: 'retry' }>): string {
  const status = statusCode === null ? '' : ` (${statusCode})`;
  const when = retryAfterMs === null ? '' : ` in ${Math.ceil(retryAfterMs / 1_000)} s`;
  return `Its provider refused${status}; it tries again${when}.`;
}
