import { createHash } from 'node:crypto';

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** A name for files, folders and branches, whatever the id: ids come from a server and may hold anything. */
export function nameOf(id: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(id) ? id : `id-${digestOf(id)}`;
}

/** Of a UUID the end is enough: its beginning may be a time, and the attempts of a task are few. */
function shortNameOf(id: string): string {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
  return isUuid ? id.slice(-12) : nameOf(id);
}

/** The branch on which an attempt leaves what it changed. */
export function branchOf({ taskId, attemptId }: { taskId: string; attemptId: string }): string {
  return `tri-agent/${nameOf(taskId)}/${shortNameOf(attemptId)}`;
}
