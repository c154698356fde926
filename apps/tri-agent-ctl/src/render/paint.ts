import { styleText } from 'node:util';
import type { Io } from '../io.js';

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';
export type Paint = (style: Style, text: string) => string;

/** Colours for a terminal that has them, unless NO_COLOR is set. */
export function paintFor(io: Pick<Io, 'env' | 'isTTY'>): Paint {
  const colours = io.isTTY && (io.env.NO_COLOR ?? '') === '' && io.env.TERM !== 'dumb';
  return colours
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text;
}
