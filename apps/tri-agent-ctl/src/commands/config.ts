import { settings, type SettingName } from '#platform/config.js';
import type { Output } from '../output.js';
import { tableLines } from '../render/table.js';
import type { Server } from '../server.js';

interface Row {
  readonly name: string;
  readonly variable: string;
  readonly value: unknown;
  readonly origin: string;
  readonly about: string;
}

/** Every setting with its value and where it comes from; of the token only whether there is one. */
export function showConfig(server: Server, output: Output): void {
  const { config, origins, file } = server.loaded;
  const rows = (Object.keys(settings) as SettingName[]).map((name): Row => {
    const { variable, about } = settings[name];
    const fromFile = name === 'token' && config.token === null && server.token !== null;
    return {
      name,
      variable,
      value: name === 'token' ? mask(server.token) : plain(config[name]),
      origin: fromFile ? server.tokenFile : origins[name] === 'file' ? file : origins[name],
      about,
    };
  });
  if (output.json) {
    output.document({ file, settings: rows });
    return;
  }
  output.lines(
    ...tableLines<Row>(
      [
        { head: 'SETTING', cell: ({ name }) => name },
        { head: 'VALUE', cell: ({ value }) => inWords(value) },
        { head: 'FROM', cell: ({ origin }) => origin },
        { head: 'VARIABLE', cell: ({ variable }) => variable },
      ],
      rows,
      output.paint,
    ),
    '',
    output.paint('dim', `A variable goes before config.json, which goes before the default.`),
  );
}

function mask(token: string | null): string | null {
  return token === null ? null : `(${token.length} characters, not shown)`;
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof RegExp ? value.source : value;
}

function inWords(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '(unset)';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
