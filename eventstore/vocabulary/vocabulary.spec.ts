import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NewEvent } from '#kernel/event.js';
import { currentVersion, eventTypes, faultOf, isKnownType, upcast } from './vocabulary.js';

interface Sample {
  readonly file: string;
  readonly type: string;
  readonly version: number;
  readonly data: Record<string, unknown>;
}

const folder = join(import.meta.dirname, '../samples');
const samples = readdirSync(folder).map((file): Sample => {
  const [, type = '', version = ''] = /^(\w+)\.v(\d+)\.json$/.exec(file) ?? [];
  const data = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Sample['data'];
  return { file, type, version: Number(version), data };
});

function faultOfData(type: string, data: unknown): string | undefined {
  const metadata = { actor: 'test', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' };
  const event: NewEvent = { id: '0199a9c1-7b1d-7c3a-9f00-5f1c2d3e4a5b', type, data, metadata };
  return faultOf(event);
}

describe('The samples', () => {
  test.each(eventTypes)('have %s in every version that was ever written', (type) => {
    const versions = samples.filter((sample) => sample.type === type).map(({ version }) => version);
    const wanted = Array.from({ length: currentVersion(type) }, (_, index) => index + 1);
    expect(versions.sort((a, b) => a - b)).toEqual(wanted);
  });

  test('are of types that exist', () => {
    expect(samples.filter(({ type }) => !isKnownType(type)).map(({ file }) => file)).toEqual([]);
  });
});

describe.each(samples)('$file', ({ type, version, data }) => {
  test('can be read as the version of today', () => {
    expect(faultOfData(type, upcast(type, version, data))).toBeUndefined();
  });

  if (isKnownType(type) && version === currentVersion(type)) {
    test('comes back from the log as it is', () => {
      expect(upcast(type, version, JSON.parse(JSON.stringify(data)))).toEqual(data);
    });

    test('is refused with a field that its schema does not know', () => {
      expect(faultOfData(type, { ...data, prompt: 'secret' })).toContain('prompt');
    });

    test('is refused with a field of the wrong kind', () => {
      const [first = ''] = Object.keys(data);
      expect(faultOfData(type, { ...data, [first]: { nested: true } })).toContain(first);
    });
  } else {
    test('is refused as new data', () => {
      expect(faultOfData(type, data)).toBeDefined();
    });
  }
});

describe('UsageRecorded of version 1', () => {
  const dataOf = (version: number): Record<string, unknown> =>
    samples.find((sample) => sample.type === 'UsageRecorded' && sample.version === version)?.data ??
    {};

  test('did not tell how long the cache was kept for, and nothing else is made up', () => {
    const old = dataOf(1);
    expect(old).not.toHaveProperty('cacheCreation1hTokens');
    expect(upcast('UsageRecorded', 1, old)).toMatchObject({ ...old, cacheCreation1hTokens: null });
  });

  test('is not changed by reading it', () => {
    const old = structuredClone(dataOf(1));
    upcast('UsageRecorded', 1, old);
    expect(old).toEqual(dataOf(1));
  });

  test('leaves what version 2 tells', () => {
    expect(upcast('UsageRecorded', 2, dataOf(2))).toHaveProperty('cacheCreation1hTokens', 1024);
  });
});

test('UsageRecorded of version 2 knew no price', () => {
  const old = samples.find(({ file }) => file === 'UsageRecorded.v2.json')?.data;
  const added = { tier: null, computedNanoUsd: null };
  expect(upcast('UsageRecorded', 2, old)).toEqual({ ...old, ...added });
});

test('A type that nobody defined is refused, with its name', () => {
  expect(faultOfData('TaskTeleported', {})).toBe('There is no event type "TaskTeleported".');
});

test('Tasks of version 1 allow no tool and have no costs of their own; workers told no versions', () => {
  const added = {
    TaskSubmitted: { allowedTools: [], maxCostNanoUsd: null },
    WorkerRegistered: { agents: [], containment: null },
  };
  for (const [type, more] of Object.entries(added)) {
    const old = samples.find(({ file }) => file === `${type}.v1.json`)?.data;
    expect(upcast(type, 1, old)).toEqual({ ...old, ...more });
  }
});
