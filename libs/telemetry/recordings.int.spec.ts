import { loadRecording, recordedAgents, recordingGroups } from './recordings.js';
import { renamer, rewrite } from './recordings.rewrite.js';
import { decode } from './recordings.spec-helper.js';

const groups = recordedAgents.flatMap((agent) =>
  recordingGroups(agent).map((name) => loadRecording(name, agent)),
);
const bodies = groups.flatMap((group) =>
  group.bodies.map((body) => ({ ...body, title: `${group.agent}/${group.name}/${body.file}` })),
);
const sessionIds = new Set(
  groups.flatMap(({ results }) =>
    (results as readonly { session_id?: string; thread_id?: string }[]).flatMap(
      (result) => result.session_id ?? result.thread_id ?? [],
    ),
  ),
);

const hourNanos = 3_600_000_000_000n;
const asItWas = { shiftNanos: 0n, renameId: (id: string) => id };

/** Text of what a body says, with the bigints of its times. */
function said(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v));
}

describe('The recordings', () => {
  test('hold groups of each agent with bodies of all three signals in order of arrival', () => {
    expect(groups.map(({ agent }) => agent).filter((it) => it === 'claude-code').length).toBe(11);
    expect(groups.length).toBe(11 + 4 + 4);
    expect(bodies.length).toBe(124 + 13 + 14);
    expect(sessionIds.size).toBe(19);
    expect(new Set(bodies.map(({ signal }) => signal))).toEqual(
      new Set(['logs', 'metrics', 'traces']),
    );
    for (const group of groups) {
      const offsets = group.bodies.map(({ offsetMs }) => offsetMs);
      expect(offsets[0]).toBe(0);
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      expect(group.results.length).toBeGreaterThan(0);
    }
  });

  test('an unknown group is refused', () => {
    expect(() => loadRecording('no-such-group')).toThrow('ENOENT');
  });
});

describe('A rewritten body', () => {
  test.each(bodies)('of $title is byte-identical when nothing is to change', (body) => {
    expect(rewrite(body.bytes, body.signal, asItWas).equals(body.bytes)).toBe(true);
  });

  test.each(bodies)('of $title says the same, but an hour later and of other sessions', (body) => {
    const renamed = new Map<string, string>();
    const rename = renamer(7);
    const rewritten = rewrite(body.bytes, body.signal, {
      shiftNanos: hourNanos,
      renameId: (id) => {
        const other = rename(id);
        renamed.set(other, id);
        return other;
      },
    });
    const before = said(decode(body.signal, body.bytes));
    const after = said(decode(body.signal, rewritten));
    expect(rewritten.length).toBe(body.bytes.length);
    for (const id of sessionIds) expect(rewritten.includes(id)).toBe(false);

    // Undoing both in the decoded text gives the recorded text: nothing else has changed.
    const backAgain = after
      .replace(/"(\d{19})n"/g, (_, nanos: string) => `"${String(BigInt(nanos) - hourNanos)}n"`)
      .replace(/"(2026-[0-9T:.-]{18}Z)"/g, (_, iso: string) => {
        return JSON.stringify(new Date(Date.parse(iso) - 3_600_000).toISOString());
      })
      .replace(/[\w-]+/g, (word) => renamed.get(word) ?? word);
    expect(backAgain).toBe(before);
  });

  test('leaves a time that was not told untold', () => {
    const untold = Buffer.from(
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"0"}]}]}]}',
    );
    expect(rewrite(untold, 'logs', { ...asItWas, shiftNanos: 5n }).toString()).toBe(
      untold.toString(),
    );
  });
});

describe('A renamer', () => {
  const uuid = '1809ede4-1606-468c-bee8-e44e40ea4009';

  test('always gives the same name for the same seed and id, and another for another seed', () => {
    expect(renamer(1)(uuid)).toBe(renamer(1)(uuid));
    expect(renamer(1)(uuid)).not.toBe(renamer(2)(uuid));
    expect(renamer(1)(uuid)).not.toBe(uuid);
  });

  test('moves the time that a UUID of version 7 begins with, and renames what follows', () => {
    const thread = '01a1f9ec-e12e-7670-af59-0cf8db2f897b';
    const later = renamer(1, hourNanos)(thread);
    expect(parseInt(later.slice(0, 13).replace('-', ''), 16)).toBe(0x01a1f9ece12e + 3_600_000);
    expect(later).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(later.slice(14)).not.toBe(thread.slice(14));
  });

  test.each([
    [uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-b[0-9a-f]{3}-[0-9a-f]{12}$/],
    [
      'exec-e1f6bf44-5a4e-43f6-ada8-2b78b1c6d0a2',
      /^exec-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    ],
    ['req_mock685ykc26eo60', /^req_[0-9a-z]{16}$/],
    ['toolu_bwt9glvkh9k', /^toolu_[0-9a-z]{11}$/],
    ['aefd44bc2ce5ab941', /^[0-9a-f]{17}$/],
  ])('keeps the shape of %s', (id, shape) => {
    expect(renamer('demo')(id)).toMatch(shape);
  });
});
