import Table from 'cli-table3';

export type Row = Readonly<Record<string, string | number | null>>;

export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

/** A table for people, one line per figure, and one JSON document for machines. */
export function printReport(rows: readonly Row[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify(rows, null, 2));
    return;
  }
  for (const { benchmark, ...figures } of rows) {
    const table = new Table({ head: [String(benchmark), ''], style: { head: [], border: [] } });
    for (const [name, value] of Object.entries(figures)) table.push([name, String(value ?? '-')]);
    console.log(table.toString());
  }
}
