import stringWidth from 'string-width';
import { limits } from '#kernel/limits.js';
import { clean, clip } from '#platform/harmless-text.js';
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

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly style: Style | undefined;
}

const gap = '  ';

/** Lines of a table without rules, as wide as asked at most where columns can be left out for it. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint,
  widthMax = Infinity,
): string[] {
  const cells = rows.map((row) =>
    columns.map((column): Cell => {
      const text = clip(clean(column.cell(row)), limits.cellCharactersMax);
      return { text, width: widthOf(text), style: column.style?.(row) };
    }),
  );
  const heads = columns.map(({ head }): Cell => ({ text: head, width: head.length, style: 'dim' }));
  const lines = [heads, ...cells];
  const widths = columns.map((_, index) =>
    lines.reduce((widest, line) => Math.max(widest, line[index]?.width ?? 0), 0),
  );
  const leastNeeded = columns.reduce<Column<Row> | undefined>(
    (least, column) => ((column.dispensable ?? 0) > (least?.dispensable ?? 0) ? column : least),
    undefined,
  );
  const width = widths.reduce((sum, it) => sum + it + gap.length, -gap.length);
  if (width > widthMax && leastNeeded !== undefined) {
    const fewer = columns.filter((column) => column !== leastNeeded);
    return tableLines(fewer, rows, paint, widthMax);
  }
  return lines.map((line) =>
    line
      .map((cell, index) => padded(cell, widths[index] ?? 0, columns[index]?.align, paint))
      .join(gap)
      .trimEnd(),
  );
}

function padded(
  { text, width, style }: Cell,
  widthOfColumn: number,
  align: Column<never>['align'],
  paint: Paint,
): string {
  const space = ' '.repeat(widthOfColumn - width);
  const painted = style === undefined ? text : paint(style, text);
  return align === 'right' ? space + painted : painted + space;
}

/** How many columns of a terminal a text takes: wide characters take two. */
function widthOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
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
