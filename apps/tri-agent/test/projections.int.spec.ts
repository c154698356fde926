import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { currentVersion, eventTypes } from '#eventstore/vocabulary/vocabulary.js';
import { given, recorded } from '#platform/projection.specification.js';
import { projections } from '../src/projections.js';

const folder = join(import.meta.dirname, '../../../eventstore/samples');

describe.each(projections)('The read model $name', (projection) => {
  test.each(eventTypes)('takes %s, whether it has a use for it or none', (type) => {
    const file = `${type}.v${currentVersion(type)}.json`;
    const data = JSON.parse(readFileSync(join(folder, file), 'utf8')) as DataOf<typeof type>;
    const event = recorded(1, type, data, '2026-11-20T10:00:00.000Z');
    expect(() => given(projection, [event])).not.toThrow();
  });
});
