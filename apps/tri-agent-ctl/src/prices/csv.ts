/** A record of a CSV file and the line that it begins on, from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
  /** What is wrong with it; its cells are then what could be read. */
  readonly fault?: string;
}

/** Either a quoted cell or a plain one, and what ends it. */
const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
const lineEnd = /\r\n|\n|\r/g;

/**
 * Reads CSV as RFC 4180 has it: commas, quotes where a cell holds commas, quotes or lines. Empty
 * lines are left out; a record that is not understood costs the rest of its line.
 */
export function readCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const start = at;
    const cells: string[] = [];
    let fault: string | undefined;
    for (let end = ','; end === ',';) {
      cell.lastIndex = at;
      const match = cell.exec(text);
      if (match === null) {
        fault = 'it has a quotation mark where none may stand';
        at = endOfLine(text, at);
        break;
      }
      const [whole, quoted, plain = '', closing = ''] = match;
      cells.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
      at += whole.length;
      end = closing;
    }
    const isEmpty = cells.every((it) => it === '');
    if (fault !== undefined) records.push({ line, cells, fault });
    else if (!isEmpty) records.push({ line, cells });
    line += text.slice(start, at).split(lineEnd).length - 1;
  }
  return records;
}

function endOfLine(text: string, from: number): number {
  lineEnd.lastIndex = from;
  return lineEnd.exec(text) === null ? text.length : lineEnd.lastIndex;
}
