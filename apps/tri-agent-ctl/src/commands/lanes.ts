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

type Counted = 'waiting' | 'ready' | 'delayed' | 'running' | 'paused';
function counted(name: Counted): Column<shapes.LaneFigures> {
  return {
    head: name.toUpperCase(),
    cell: (lane) => formatCount(lane[name] ?? 0),
    align: 'right',
  };
}

const columns: readonly Column<shapes.LaneFigures>[] = [
  { head: 'LANE', cell: ({ lane }) => lane },
  counted('waiting'),
  counted('ready'),
  counted('delayed'),
  counted('running'),
  counted('paused'),
  { head: 'OLDEST WAIT', cell: ({ oldestWaitMs }) => formatWait(oldestWaitMs), align: 'right' },
  { head: 'HEAD START', cell: ({ headStartMs }) => formatDuration(headStartMs), align: 'right' },
];
