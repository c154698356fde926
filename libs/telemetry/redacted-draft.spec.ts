import { limits } from '#kernel/limits.js';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import { log, logs, only } from './claude-code.spec-helper.js';
import { Redactor } from '#platform/redaction.js';
import { core, tokens } from '#platform/redaction.spec-helper.js';
import { redactDraft } from './redacted-draft.js';

const draft = redactDraft(new Redactor([]));

describe('A draft', () => {
  const [, secret] = tokens[0]!;
  const given = only(
    logs(
      log('user_prompt', {
        'session.id': `s ${secret}`,
        'task.id': secret,
        prompt: `key ${secret}`,
      }),
    ),
  );

  test('is redacted in data, metadata and content, and may still be appended', () => {
    const redacted = draft(given);
    expect(JSON.stringify(given)).toContain(secret);
    expect(JSON.stringify(redacted)).not.toContain(core(secret));
    expect(redacted.event.metadata.correlationId).toContain('[redacted:anthropic-key:');
    expect(redacted.content).toContain('[redacted:anthropic-key:');
    expect(redacted.event.id).toBe(given.event.id);
    expect(faultOf(redacted.event)).toBeUndefined();
  });

  test('without a secret is not copied', () => {
    const clean = only(logs(log('user_prompt')));
    expect(draft(clean).event.data).toBe(clean.event.data);
  });

  test.each([limits.identifierCharactersMax, limits.freeTextCharactersMax])(
    'keeps to its limits when marks are longer than secrets: %d characters',
    (length) => {
      const crowded = 'password=abc123 '.repeat(50).slice(0, length);
      const { event } = draft(
        only(logs(log('api_error', { error: crowded, model: crowded.slice(0, 200) }))),
      );
      expect(faultOf(event)).toBeUndefined();
      expect(JSON.stringify(event)).not.toContain('abc123');
    },
  );
});
