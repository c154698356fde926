import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { SessionFacts } from './ports.js';

/** Whether a session's spend counts in the budget of a scope. */
export function isWithin(
  scope: string,
  session: { readonly agent: AgentName; readonly sessionId: string },
  facts: SessionFacts | undefined,
): boolean {
  const [kind, id] = split(scope);
  switch (kind) {
    case 'all':
      return true;
    case 'agent':
      return session.agent === id;
    case 'session':
      return session.sessionId === id;
    case 'team':
      return facts?.team === id;
    case 'project':
      return facts?.project === id;
    case 'user':
      return facts?.userId === id;
    case 'task':
      return facts?.taskId === id;
    case 'model':
      return facts?.models.includes(id) ?? false;
    default:
      return false;
  }
}

/** Whether dispatch itself knows the scope, so that it can shut it for what is queued, too. */
export function isOfDispatch(scope: string): boolean {
  return /^(all$|(team|project|agent|model):)/.test(scope);
}

function split(scope: string): [string, string] {
  const colon = scope.indexOf(':');
  return colon < 0 ? [scope, ''] : [scope.slice(0, colon), scope.slice(colon + 1)];
}
