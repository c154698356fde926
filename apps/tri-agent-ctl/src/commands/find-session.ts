import { limits } from '#kernel/limits.js';
import { isNotFound, type Asker } from '../client.js';
import { Failure } from '../failure.js';
import * as shapes from '../shapes.js';

/** The session with that id, or the only one whose id begins so. */
export async function findSession(client: Asker, idOrPrefix: string): Promise<shapes.Session> {
  try {
    return await client.get(`/api/v1/sessions/${encodeURIComponent(idOrPrefix)}`, shapes.session);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const { items } = await client.list('/api/v1/sessions', shapes.session, limits.listItemsMax);
  const matching = items.filter(({ sessionId }) => sessionId.startsWith(idOrPrefix));
  const [only] = matching;
  if (only === undefined) {
    throw new Failure(
      'session_not_found',
      `There is no session "${idOrPrefix}".`,
      'See which there are with "tri-agent-ctl sessions list".',
    );
  }
  if (matching.length > 1) {
    const some = matching.slice(0, 4).map(({ sessionId }) => sessionId);
    const more = matching.length > some.length ? ', ...' : '';
    throw new Failure(
      'session_ambiguous',
      `${matching.length} sessions begin with "${idOrPrefix}": ${some.join(', ')}${more}.`,
      'Give more of the id.',
    );
  }
  return only;
}
