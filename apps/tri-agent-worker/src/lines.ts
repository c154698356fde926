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
  const splitter = new Splitter(charactersMax);
  for await (const chunk of stream) yield* splitter.take(decoder.write(chunk as Buffer));
  yield* splitter.take(decoder.end());
  yield* splitter.rest();
}

class Splitter {
  private held = '';
  private isCut = false;

  constructor(private readonly charactersMax: number) {}

  *take(text: string): Generator<Line> {
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.keep(text.slice(from, end));
      yield this.line();
      from = end + 1;
    }
    this.keep(text.slice(from));
  }

  /** What came after the last end of a line. */
  *rest(): Generator<Line> {
    if (this.held !== '') yield this.line();
  }

  private keep(part: string): void {
    const room = this.charactersMax - this.held.length;
    this.isCut ||= part.length > room;
    this.held += part.slice(0, room);
  }

  private line(): Line {
    const line = { text: this.held.replace(/\r$/, ''), isCut: this.isCut };
    this.held = '';
    this.isCut = false;
    return line;
  }
}
