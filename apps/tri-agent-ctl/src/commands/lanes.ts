import type { Asker } from '../client.js';
import * as shapes from '../dispatch/shapes.js';
import { formatWait } from '../dispatch/waits.js';
import type { Output } from '../output.js';
import { formatCount } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';
import { formatDuration } from '../render/times.js';

export async function listLanes(client: Asker, output: Output): Promise<void> {
  const answer = await client.get('/api/v1/lanes', shapes.lanes);
  if (output.json) {
    output.document(answer);
    return;
  }
  output.lines(...tableLines(columns, answer.items, output.paint, output.io.size?.().columns));
}

function counted(head: 'WAITING' | 'READY' | 'DELAYED' | 'RUNNING'): Column<shapes.LaneFigures> {
  const name = head.toLowerCase() as 'waiting' | 'ready' | 'delayed' | 'running';
  return { head, cell: (lane) => formatCount(lane[name]), align: 'right' };
}

const columns: readonly Column<shapes.LaneFigures>[] = [
  { head: 'LANE', cell: ({ lane }) => lane },
  counted('WAITING'),
  counted('READY'),
  counted('DELAYED'),
  counted('RUNNING'),
  { head: 'OLDEST WAIT', cell: ({ oldestWaitMs }) => formatWait(oldestWaitMs), align: 'right' },
  { head: 'HEAD START', cell: ({ headStartMs }) => formatDuration(headStartMs), align: 'right' },
];
