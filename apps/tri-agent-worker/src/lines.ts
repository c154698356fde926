import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

export interface Line {
  readonly text: string;
  /** Whether it was longer, and this is only its beginning. */
  readonly isCut: boolean;
}

/** The lines of a stream, each held in memory up to a limit, whatever is printed. */
export async function* linesOf(stream: Readable, charactersMax: number): AsyncGenerator<Line> {
  const decoder = new StringDecoder('utf8');
  let held = '';
  let isCut = false;
  const take = function* (text: string): Generator<Line> {
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      keep(text.slice(from, end));
      yield { text: held.replace(/\r$/, ''), isCut };
      held = '';
      isCut = false;
      from = end + 1;
    }
    keep(text.slice(from));
  };
  const keep = (part: string): void => {
    isCut ||= held.length + part.length > charactersMax;
    held += part.slice(0, charactersMax - held.length);
  };
  for await (const chunk of stream) yield* take(decoder.write(chunk as Buffer));
  yield* take(decoder.end());
  if (held !== '' || isCut) yield { text: held, isCut };
}
