import { createHash } from 'node:crypto';
import { limits } from '#kernel/limits.js';
import { mayHoldSecret, secretKinds } from './redaction.kinds.js';
import type { SecretKind } from './redaction.kinds.js';

/**
 * Takes secrets out of whatever an agent sent, before anything of it is kept. A secret becomes
 * `[redacted:<kind>:<first 8 hex digits of its SHA-256>]`: whose it was can still be told by
 * hashing the suspects, and two events that held the same secret can still be matched.
 *
 * A class, so that it is its own injection token.
 */
export class Redactor {
  private readonly extras: readonly RegExp[];

  /** @param extraPatterns more of what counts as secret, each match as a whole. */
  constructor(extraPatterns: readonly RegExp[]) {
    this.extras = extraPatterns.map(
      (pattern) => new RegExp(pattern.source, `${pattern.flags.replace('g', '')}g`),
    );
  }

  readonly text = (clean: string): string => {
    let redacted = clean;
    if (mayHoldSecret(clean)) {
      for (const kind of secretKinds)
        redacted = outsideMarks(redacted, (part) => redact(part, kind));
    }
    for (const pattern of this.extras) {
      redacted = outsideMarks(redacted, (part) =>
        part.replace(pattern, (whole) => (whole === '' ? '' : mark('configured', whole))),
      );
    }
    return redacted;
  };

  /** Redacts every string in it; the value itself where there is nothing to redact. */
  readonly value = <Value>(value: Value): Value => within(value, remembering(this.text));
}

function redact(text: string, { kind, pattern, isSecret }: SecretKind): string {
  return text.replace(pattern, (whole: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Partial<Record<'before' | 'secret', string>> | string;
    const { before = '', secret = whole } = typeof groups === 'string' ? {} : groups;
    return isSecret === undefined || isSecret(secret, before) ? before + mark(kind, secret) : whole;
  });
}

function mark(kind: string, secret: string): string {
  const hash = createHash('sha256').update(secret).digest('hex').slice(0, 8);
  return `[redacted:${kind}:${hash}]`;
}

const marks = /(\[redacted:[a-z-]{1,40}:[0-9a-f]{8}\])/;

/** What a mark says looks like a secret to some patterns, and would change at every pass. */
function outsideMarks(text: string, replace: (part: string) => string): string {
  if (!text.includes('[redacted:')) return replace(text);
  return text
    .split(marks)
    .map((part, index) => (index % 2 === 0 ? replace(part) : part))
    .join('');
}

/** What an event says again and again, such as the model of each of its requests, is looked at once. */
function remembering(text: (clean: string) => string): (clean: string) => string {
  const known = new Map<string, string>();
  return (clean) => {
    const redacted = known.get(clean) ?? text(clean);
    known.set(clean, redacted);
    return redacted;
  };
}

/** The value with each string redacted; the value itself where there was nothing to redact. */
function within<Value>(value: Value, text: (clean: string) => string): Value {
  if (typeof value === 'string') return fitted(value, text(value)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  let redacted: Value | undefined;
  for (const key of Object.keys(value) as (keyof Value)[]) {
    const item = within(value[key], text);
    if (item === value[key]) continue;
    redacted ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Value;
    redacted[key] = item;
  }
  return redacted ?? value;
}

/** A mark can be longer than its secret. No limit of an event's strings is below an identifier's. */
function fitted(clean: string, redacted: string): string {
  return redacted === clean
    ? clean
    : redacted.slice(0, Math.max(clean.length, limits.identifierCharactersMax));
}
