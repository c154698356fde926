/**
 * What a cell holds: text of any origin, a whole number, or nothing. Money is text of digits and a
 * point, as the server writes it, so that no digit is lost.
 */
export type CsvCell = string | number | null;

/** A table as RFC 4180 has it: commas, CRLF, quotes where they are needed. */
export function csvOf(head: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [head, ...rows].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return '';
  const text = typeof cell === 'number' ? String(cell) : inert(cell);
  // Quoted is also what a spreadsheet set to another separator would cut into cells.
  return /^[\w .:/-]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

/**
 * A spreadsheet takes text that begins as a formula does for one, also after blanks and in a further
 * line of the cell; an apostrophe before it makes it text. Plain numbers stay numbers.
 */
export function inert(text: string): string {
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  return text.replace(/(?<=^|[\r\n])(?=[^\S\r\n]*[=+\-@\t\r\n＝＋－＠])/g, "'");
}
