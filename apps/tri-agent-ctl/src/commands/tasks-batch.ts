import { dirname, resolve } from 'node:path';
import { limits } from '#kernel/limits.js';
import type { Asker } from '../client.js';
import { PromptFiles } from '../dispatch/prompt-files.js';
import { readText } from '../dispatch/read-text.js';
import * as shapes from '../dispatch/shapes.js';
import { submitting } from '../dispatch/submitting.js';
import { readTaskFile, type Fault, type PlacedTask } from '../dispatch/task-file.js';
import { Failure, reasonOf } from '../failure.js';
import type { Output } from '../output.js';
import { withBar } from '../render/bar.js';
import { formatBytes, formatCount, nothing } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';

export interface BatchWish {
  /** A YAML file, or `-`. */
  readonly file: string;
  /** The folder of the prompts that it names, instead of its own. */
  readonly prompts?: string;
}

/** Submits the tasks of a file, all or none. */
export async function submitBatch(client: Asker, output: Output, wish: BatchWish): Promise<void> {
  const here = output.io.cwd ?? '.';
  const path = wish.file === '-' ? '-' : resolve(here, wish.file);
  const { tasks, faults } = readTaskFile(await readText(output.io, path, limits.taskFileBytesMax));
  if (faults.length > 0) throw refuse(output, wish.file, faults);
  const own = path === '-' ? resolve(here) : dirname(path);
  const prompts = new PromptFiles(wish.prompts === undefined ? own : resolve(here, wish.prompts));
  const body = await bodyOf(output, wish.file, tasks, prompts);
  if (output.io.terminal !== undefined && !output.json) {
    output.note(`Submitting ${formatCount(tasks.length)} tasks at once, all or none ...`);
  }
  const asked = client.post('/api/v1/tasks/batch', shapes.submittedBatch, body);
  const answer = await submitting(asked);
  if (output.json) output.document(answer);
  else report(output, answer.items, tasks);
}

/** JSON text. Prompts that stand in files are read into it. */
async function bodyOf(
  output: Output,
  file: string,
  tasks: readonly PlacedTask[],
  prompts: PromptFiles,
): Promise<string> {
  const faults: Fault[] = [];
  const bodies: string[] = [];
  let bytes = '{"tasks":[]}'.length;
  await withBar(output.io, 'Reading prompts {bar} {value} of {total}', async (bar) => {
    bar.setTotal(tasks.length);
    for (const { line, said } of tasks) {
      try {
        const body = JSON.stringify(await filledIn(said, prompts));
        bytes += Buffer.byteLength(body) + 1;
        // What is over the limit is not collected: only how much it is.
        if (bytes <= limits.apiBodyBytesMax) bodies.push(body);
      } catch (error) {
        if (faults.length < limits.taskFileFaultsMax)
          faults.push({ line, reason: reasonOf(error) });
      }
      bar.update(bodies.length);
    }
  });
  if (faults.length > 0) throw refuse(output, file, faults);
  if (bytes <= limits.apiBodyBytesMax) return `{"tasks":[${bodies.join(',')}]}`;
  throw new Failure(
    'task_file_too_large',
    `The tasks of ${labelOf(file)} come to ${formatBytes(bytes)}; the server takes ` +
      `${formatBytes(limits.apiBodyBytesMax)} at once (limits.apiBodyBytesMax).`,
    'Nothing was submitted. Split it: a later file may depend on ids of an earlier one.',
  );
}

async function filledIn(
  { promptFile, ...said }: PlacedTask['said'],
  prompts: PromptFiles,
): Promise<object> {
  return typeof promptFile === 'string'
    ? { ...said, prompt: await prompts.prompt(promptFile) }
    : said;
}

/** People are told every fault, programs the first. */
function refuse(output: Output, file: string, faults: readonly Fault[]): Failure {
  const told = faults.map(({ line, reason }) => `${labelOf(file)}:${line}: ${reason}`);
  const [first = '', ...others] = told;
  const isList = !output.json && others.length > 0;
  if (isList) for (const fault of told) output.note(fault);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new Failure(
    'task_file_unusable',
    isList ? `${labelOf(file)} cannot be used as it is.` : `${first}${more}`,
    'Nothing was submitted. "tri-agent-ctl tasks submit --help" shows the form of the file.',
  );
}

function labelOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

function report(
  output: Output,
  items: readonly shapes.SubmittedItem[],
  tasks: readonly PlacedTask[],
): void {
  const rows = items.map((item, index) => ({ ...item, line: tasks[index]?.line }));
  const columns: Column<(typeof rows)[number]>[] = [
    { head: 'LINE', cell: ({ line }) => String(line ?? nothing), align: 'right' },
    { head: 'KEY', cell: ({ key }) => key ?? nothing },
    { head: 'TASK', cell: ({ taskId }) => taskId },
    { head: '', cell: ({ created }) => (created ? '' : 'known already') },
  ];
  const created = items.filter((item) => item.created).length;
  const known = items.length - created;
  const also = known === 0 ? '' : `; ${formatCount(known)} had been submitted already`;
  output.lines(
    ...tableLines(columns, rows, output.paint, output.io.size?.().columns),
    '',
    `${formatCount(created)} ${created === 1 ? 'task was' : 'tasks were'} submitted${also}.`,
    output.paint('dim', 'See how they get on: tri-agent-ctl tasks list'),
  );
}
