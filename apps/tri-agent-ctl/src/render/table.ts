import { stripVTControlCharacters } from '../builtins.js';
import Table from 'cli-table3';
import { limits } from '#kernel/limits.js';
import { clean, clip } from './text.js';
import type { Paint, Style } from './paint.js';

export interface Column<Row> {
  readonly head: string;
  /** Any text: it is made harmless here, before a style is put on it. */
  readonly cell: (row: Row) => string;
  readonly style?: (row: Row) => Style | undefined;
  readonly align?: 'left' | 'right';
  /** Columns with the highest number go first where the terminal is too narrow; without, never. */
  readonly dispensable?: number;
}

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Lines of a table without rules, as wide as asked at most where columns can be left out for it. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint,
  widthMax = Infinity,
): string[] {
  const table = new Table({
    chars: bare,
    colAligns: columns.map((column) => column.align ?? 'left'),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(columns.map((column) => paint('dim', column.head)));
  for (const row of rows) {
    table.push(
      columns.map((column) => {
        const text = clip(clean(column.cell(row)), limits.cellCharactersMax);
        const style = column.style?.(row);
        return style === undefined ? text : paint(style, text);
      }),
    );
  }
  const leastNeeded = columns.reduce<Column<Row> | undefined>(
    (least, column) => ((column.dispensable ?? 0) > (least?.dispensable ?? 0) ? column : least),
    undefined,
  );
  const lines = table.toString().split('\n');
  // The heads are plain ASCII and every line is padded alike (table.width counts colours as well).
  const width = stripVTControlCharacters(lines[0] ?? '').length;
  if (width > widthMax && leastNeeded !== undefined) {
    const fewer = columns.filter((column) => column !== leastNeeded);
    return tableLines(fewer, rows, paint, widthMax);
  }
  return lines.map((line) => line.trimEnd());
}

/** `name  value` lines, the values made harmless. */
export function pairLines(
  pairs: readonly (readonly [name: string, value: string])[],
  paint: Paint,
): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(
    ([name, value]) =>
      `${paint('dim', name.padEnd(width))}  ${clip(clean(value), limits.lineCharactersMax)}`,
  );
}
