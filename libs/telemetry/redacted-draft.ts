import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Redactor } from '#platform/redaction.js';
import type { Draft } from './translation.js';

/** Redacts data, metadata and content; the event stays one that may be appended. */
export function redactDraft({ text, value }: Redactor): (draft: Draft) => Draft {
  return ({ event, content }) => {
    const { id, type } = event;
    const [data, metadata] = [value(event.data), value(event.metadata)];
    // Same type, same data but for some characters of its strings.
    const redacted = { id, type, data, metadata } as DomainEvent;
    return content === undefined
      ? { event: redacted }
      : { event: redacted, content: text(content) };
  };
}
