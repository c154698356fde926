import type { Asker } from '../client.js';
import * as shapes from '../dispatch/shapes.js';
import type { Output } from '../output.js';
import { clean } from '#platform/harmless-text.js';

const verbs = {
  pause: ['is paused: nothing of it is claimed, what runs goes on', 'was paused already'],
  drain: [
    'is draining: nothing of it is claimed, and it is empty when what runs has ended',
    'was draining already',
  ],
  resume: ['is open again', 'was open already'],
} as const;
export type GateVerb = keyof typeof verbs;

export async function changeGate(
  client: Asker,
  output: Output,
  verb: GateVerb,
  wish: { readonly scope: string; readonly reason?: string },
): Promise<void> {
  const answer = await client.post(`/api/v1/queue/${verb}`, shapes.gateChanged, wish);
  if (output.json) {
    output.document({ ...answer, scope: wish.scope });
    return;
  }
  const [now, already] = verbs[verb];
  output.lines(`${nameOf(wish.scope)} ${answer.changed ? now : already}.`);
  if (verb === 'resume') return;
  const scope = wish.scope === 'all' ? '' : ` --scope ${clean(wish.scope)}`;
  output.lines(output.paint('dim', `Open it again: tri-agent-ctl queue resume${scope}`));
}

export async function limitQueue(
  client: Asker,
  output: Output,
  wish: { readonly scope: string; readonly limit: number | null },
): Promise<void> {
  const answer = await client.post('/api/v1/queue/limits', shapes.gateChanged, wish);
  if (output.json) {
    output.document({ ...answer, ...wish });
    return;
  }
  const { scope, limit } = wish;
  const what = limit === null ? 'no limit' : `a limit of ${limit} at once`;
  output.lines(
    `${nameOf(scope)} ${answer.changed ? 'has' : 'had'} ${what}${answer.changed ? '' : ' already'}.`,
  );
}

function nameOf(scope: string): string {
  return scope === 'all' ? 'The queue' : clean(scope);
}
