import type { Fact } from '../src/transcripts/facts.js';

interface Body {
  readonly facts: readonly Fact[];
}

/** Takes facts as the server does, each once, and can be told to refuse. */
export class StubImports {
  readonly facts: Fact[] = [];
  readonly bodies: string[] = [];
  /** Answered to the next requests, one each, instead of taking what they bring. */
  readonly refusals: { readonly status: number; readonly body: object }[] = [];
  readonly rejects = new Set<string>();
  isThere = true;
  private readonly known = new Set<string>();

  readonly fetch: typeof fetch = (_url, init) => {
    if (!this.isThere) return Promise.reject(new TypeError('fetch failed'));
    const refusal = this.refusals.shift();
    if (refusal !== undefined) {
      return Promise.resolve(Response.json(refusal.body, { status: refusal.status }));
    }
    const text = typeof init?.body === 'string' ? init.body : '';
    this.bodies.push(text);
    return Promise.resolve(Response.json(this.take(JSON.parse(text) as Body)));
  };

  private take({ facts }: Body) {
    const rejected: { index: number; reason: string }[] = [];
    let duplicates = 0;
    for (const [index, fact] of facts.entries()) {
      const identity = JSON.stringify(fact);
      if ('key' in fact && this.rejects.has(fact.key)) rejected.push({ index, reason: 'no.' });
      else if (this.known.has(identity)) duplicates += 1;
      else {
        this.known.add(identity);
        this.facts.push(fact);
      }
    }
    return { appended: facts.length - duplicates - rejected.length, duplicates, rejected };
  }
}
