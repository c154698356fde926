import { changesToConnect, diffLines } from './changes.js';
import { claude } from './claude.js';

const here = claude.wanted('http://127.0.0.1:4318');

describe('What has to change to connect', () => {
  test('remembers what stood there before the first time, not what was written then', () => {
    const old = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://old' };
    const first = changesToConnect(claude, old, here, [], []);
    const moved = claude.wanted('http://127.0.0.1:5318');
    expect(changesToConnect(claude, here.required, moved, [], first)).toEqual([
      {
        key: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        before: 'https://old',
        after: 'http://127.0.0.1:5318',
      },
    ]);
  });
});

describe('What is shown of the settings', () => {
  test('holds no password of a URL and no header', () => {
    const changes = [
      { key: 'OTEL_EXPORTER_OTLP_ENDPOINT', before: 'https://user:pass@other:4318/v1' },
      { key: 'OTEL_EXPORTER_OTLP_HEADERS', before: 'Authorization=Bearer%20secret' },
    ];
    expect(diffLines(claude, changes)).toEqual([
      '- env.OTEL_EXPORTER_OTLP_ENDPOINT=https://(not shown)@other:4318/v1',
      '- env.OTEL_EXPORTER_OTLP_HEADERS=(not shown)',
    ]);
  });
});
