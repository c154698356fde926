import { limits } from '#kernel/limits.js';
import type { Draft, Translation, Unrecognised } from './translation.js';

/** Collects what becomes of the records of one export. Every record ends in one of the four. */
export class Outcome implements Translation {
  readonly drafts: Draft[] = [];
  readonly noise = new Map<string, number>();
  readonly unrecognised: Unrecognised[] = [];
  rejected = 0;
  rejectedBecause = '';

  /** @param name of a closed set, never one that the client made up. */
  ignore(name: string, times = 1): void {
    if (times > 0) this.noise.set(name, (this.noise.get(name) ?? 0) + times);
  }

  /** @param reason one sentence; the first of an export is kept. */
  reject(reason: string): void {
    this.rejected += 1;
    if (this.rejectedBecause === '') this.rejectedBecause = reason;
  }

  keepUnrecognised(unrecognised: Unrecognised): void {
    const name = unrecognised.name.slice(0, limits.identifierCharactersMax).toWellFormed();
    this.unrecognised.push({ ...unrecognised, name: name === '' ? '(no name)' : name });
  }
}
