import { limits } from '#kernel/limits.js';
import type { Asker } from '../client.js';
import { findingTask } from '../dispatch/find-task.js';
import * as shapes from '../dispatch/shapes.js';
import type { Output } from '../output.js';
import { nothing } from '../render/numbers.js';
import { clean, clip } from '#platform/harmless-text.js';
import { formatSecondIn, machineZone } from '../render/zones.js';

/** What came of what, and what the task waits for now. Times are those of this place. */
export async function tellWhy(client: Asker, output: Output, taskId: string): Promise<void> {
  const asked = client.get(shapes.taskPath(taskId, 'why'), shapes.why);
  const why = await findingTask(taskId, asked);
  if (output.json) {
    output.document(why);
    return;
  }
  const zone = output.io.timeZone ?? machineZone();
  const now = why.now.length === 0 ? ['It waits for nothing.'] : why.now;
  output.lines(
    `Task ${clean(why.taskId)} is ${output.paint('bold', clean(why.state))}.`,
    ...now.map((sentence) => `  ${harmless(sentence)}`),
    '',
    ...chainLines(why, output, zone),
  );
}

function chainLines({ chain, omittedEvents }: shapes.Why, output: Output, zone: string): string[] {
  const levels = new Map<number, number>();
  const lines = chain.map(({ version, at, type, what, by, becauseOf }) => {
    const cause = typeof becauseOf === 'number' ? levels.get(becauseOf) : undefined;
    const level = cause === undefined ? 0 : Math.min(cause + 1, limits.whyLevelsMax);
    levels.set(version, level);
    const who = by ? output.paint('dim', ` (${harmless(by)})`) : '';
    const parts = [
      output.paint('dim', localTime(at, zone)),
      '  '.repeat(level) + output.paint('cyan', harmless(type)),
      harmless(what) + who,
    ];
    return parts.join('  ');
  });
  const omitted = omittedEvents ?? 0;
  const [first, ...rest] = lines;
  if (omitted === 0 || first === undefined) return lines;
  return [first, output.paint('dim', `... ${omitted} events are left out here ...`), ...rest];
}

function localTime(at: string, zone: string): string {
  const moment = new Date(at);
  return Number.isNaN(moment.getTime()) ? nothing.padEnd(19) : formatSecondIn(zone, moment);
}

function harmless(text: string): string {
  return clip(clean(text), limits.lineCharactersMax);
}
