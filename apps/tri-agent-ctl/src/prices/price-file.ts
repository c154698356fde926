import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { limits } from '#kernel/limits.js';
import { Failure, reasonOf } from '../failure.js';
import { readCsv, type CsvRecord } from './csv.js';

/** An entry as the API takes it, and where in the file it stands: `line 3`, `entry 2`. */
export interface PlacedEntry {
  readonly place: string;
  readonly entry: unknown;
}

export interface PriceFile {
  readonly source: string;
  readonly entries: readonly PlacedEntry[];
  /** What could not even be read as an entry. */
  readonly faults: readonly { readonly place: string; readonly reason: string }[];
}

const rates = ['input', 'output', 'cacheRead', 'cacheCreation', 'cacheCreation1h'] as const;
const others = [
  'provider',
  'model',
  'tier',
  'promptTokensAbove',
  'validFrom',
  'validUntil',
] as const;
const columns: readonly string[] = [...others, ...rates];
const isRate = (column: string): boolean => (rates as readonly string[]).includes(column);

/** @throws {Failure} when nothing of the file can be used. */
export function readPriceFile(path: string): PriceFile {
  const text = readText(path);
  const isJson = /^\s*[[{]/.test(text) || path.toLowerCase().endsWith('.json');
  const file = isJson ? readJsonPrices(path, text) : readCsvPrices(path, text);
  const source = file.source ?? basename(path);
  const count = file.entries.length + file.faults.length;
  if (count === 0) throw unusable(path, 'holds no prices');
  if (count > limits.pricesPerPublicationMax) {
    throw new Failure(
      'price_file_too_large',
      `${path} holds ${count} prices; ${limits.pricesPerPublicationMax} go in at once.`,
      'Split it, all prices of a model in one file, and import the parts one after another.',
    );
  }
  return { ...file, source: source.slice(0, limits.freeTextCharactersMax) };
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > limits.priceFileBytesMax) {
      throw new Error(`it has more than ${limits.priceFileBytesMax} bytes`);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    throw new Failure(
      'price_file_unreadable',
      `${path} cannot be read: ${reasonOf(error)}.`,
      'Give a readable JSON or CSV file in UTF-8; see "tri-agent-ctl prices import --help".',
    );
  }
}

type Parsed = Omit<PriceFile, 'source'> & { readonly source?: string };

function readJsonPrices(path: string, text: string): Parsed {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw unusable(path, `is not sound JSON: ${reasonOf(error)}`);
  }
  const { source, prices } = (Array.isArray(parsed) ? { prices: parsed } : (parsed ?? {})) as {
    readonly source?: unknown;
    readonly prices?: unknown;
  };
  if (!Array.isArray(prices)) throw unusable(path, 'has no list "prices"');
  const entries = prices.map((entry: unknown, index) => ({
    place: `entry ${index + 1}`,
    entry: tidied(entry),
  }));
  return { ...(typeof source === 'string' ? { source } : {}), entries, faults: [] };
}

/** Days as moments, numbers as the decimals that they were written as; the server checks the rest. */
function tidied(entry: unknown): unknown {
  if (!isRecord(entry)) return entry;
  const tidy: Record<string, unknown> = { ...entry };
  for (const bound of ['validFrom', 'validUntil']) {
    if (bound in tidy) tidy[bound] = asMoment(tidy[bound]);
  }
  const { usdPerMillionTokens: usd } = entry;
  if (isRecord(usd)) {
    tidy.usdPerMillionTokens = Object.fromEntries(
      Object.entries(usd).map(([kind, rate]) => [
        kind,
        typeof rate === 'number' ? String(rate) : rate,
      ]),
    );
  }
  return tidy;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asMoment(value: unknown): unknown {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)
    ? `${value}T00:00:00Z`
    : value;
}

function readCsvPrices(path: string, text: string): Parsed {
  const [head, ...records] = readCsv(text);
  const names = head?.cells ?? [];
  const unknown = names.find((name) => !columns.includes(name));
  if (head === undefined || head.fault !== undefined || unknown !== undefined) {
    const about = unknown === undefined ? '' : `: there is no column ${JSON.stringify(unknown)}`;
    throw unusable(path, `does not begin with a line of column names${about}`);
  }
  if (new Set(names).size < names.length) throw unusable(path, 'names a column twice');
  const entries: PlacedEntry[] = [];
  const faults: { place: string; reason: string }[] = [];
  for (const record of records) {
    const place = `line ${record.line}`;
    const reason = faultOf(record, names);
    if (reason === undefined) entries.push({ place, entry: entryOf(record, names) });
    else faults.push({ place, reason });
  }
  return { entries, faults };
}

function faultOf({ cells, fault }: CsvRecord, names: readonly string[]): string | undefined {
  if (fault !== undefined) return fault;
  const [has, needs] = [cells.length, names.length];
  return has === needs ? undefined : `it has ${has} cells where there are ${needs} columns`;
}

/** An empty cell says nothing. */
function entryOf({ cells }: CsvRecord, names: readonly string[]): unknown {
  const said = names.flatMap((name, index): [string, string][] => {
    const cell = cells[index] ?? '';
    return cell === '' ? [] : [[name, cell]];
  });
  const plain = said
    .filter(([name]) => !isRate(name))
    .map(([name, cell]) => [name, valueOf(name, cell)]);
  const usdPerMillionTokens = Object.fromEntries(said.filter(([name]) => isRate(name)));
  return { ...(Object.fromEntries(plain) as object), usdPerMillionTokens };
}

function valueOf(name: string, cell: string): unknown {
  if (name === 'promptTokensAbove' && /^\d+$/.test(cell)) return Number(cell);
  return name.startsWith('valid') ? asMoment(cell) : cell;
}

function unusable(path: string, what: string): Failure {
  return new Failure(
    'price_file_unusable',
    `${path} ${what}.`,
    'See "tri-agent-ctl prices import --help" for the form of the file. Nothing was published.',
  );
}
