import fc from 'fast-check';
import { createHash, randomUUID } from 'node:crypto';
import { Redactor } from './redaction.js';
import { core, inContext, tokens } from './redaction.spec-helper.js';

const { text } = new Redactor([]);

const surroundings: readonly (readonly [string, (secret: string) => string])[] = [
  ['alone', (secret) => secret],
  ['in a sentence', (secret) => `use ${secret}, please.`],
  ['in quotes', (secret) => `"${secret}" and '${secret}'`],
  ['in backticks', (secret) => `\`${secret}\``],
  ['in JSON', (secret) => JSON.stringify({ note: `first\n${secret}\nlast` })],
  ['in JSON in JSON', (secret) => JSON.stringify(JSON.stringify({ note: `a\n${secret}` }))],
  ['in an address', (secret) => `https://a.example/v1?x=1&k=${secret}&y=2`],
  ['percent-encoded', (secret) => `k%3D${secret}`],
  ['on a line of its own', (secret) => `first\n${secret}\nlast`],
  ['after a colon', (secret) => `value:${secret}`],
];

describe('A secret', () => {
  test('is known in at least thirty kinds', () => {
    const kinds = new Set([...tokens, ...inContext].map(([kind]) => kind));
    expect(kinds.size).toBeGreaterThanOrEqual(30);
  });

  test.each(
    tokens.flatMap(([kind, secret]) =>
      surroundings.map(([where, put]) => ({ kind, where, given: put(secret), secret })),
    ),
  )('of kind $kind $where is redacted', ({ kind, given, secret }) => {
    const redacted = text(given);
    expect(redacted).toContain(`[redacted:${kind}:`);
    expect(redacted).not.toContain(core(secret));
    expect(text(redacted)).toBe(redacted);
  });

  test.each(inContext)('of kind %s is redacted from %s', (kind, given, secret) => {
    const redacted = text(given);
    expect(redacted).toContain(`[redacted:${kind}:`);
    expect(redacted).not.toContain(secret);
    expect(text(redacted)).toBe(redacted);
  });

  test('leaves behind its kind and the first eight digits of its hash', () => {
    const [, secret] = tokens[15]!;
    const hash = createHash('sha256').update(secret).digest('hex').slice(0, 8);
    expect(text(`use ${secret} now`)).toBe(`use [redacted:github-token:${hash}] now`);
  });

  test('is redacted each time it occurs, with what stands between left as it was', () => {
    const [, a] = tokens[0]!;
    const [, b] = tokens[7]!;
    const redacted = text(`${a} then ${b} then ${a}`);
    expect(redacted.replace(/\[redacted:[^\]]+\]/g, '*')).toBe('* then * then *');
  });

  test('whose end was cut off is still one', () => {
    const [, anthropic] = tokens[0]!;
    const [, key] = tokens.find(([kind]) => kind === 'private-key')!;
    expect(text(anthropic.slice(0, 30))).toContain('[redacted:anthropic-key:');
    expect(text(`see ${key.slice(0, 80)}`)).toMatch(/^see \[redacted:private-key:[0-9a-f]{8}\]$/);
  });

  test('of any kind, amid any text, is redacted, and a second pass changes nothing', () => {
    const anyText = fc.array(
      fc.oneof(
        fc.constantFrom(
          ...tokens.map(([, secret]) => secret),
          ...inContext.map(([, given]) => given),
        ),
        fc.constantFrom(
          ' ',
          '\n',
          '"',
          ', ',
          'password=',
          'token: ',
          'Bearer ',
          '://u:',
          '@',
          '\\n',
        ),
        fc.string({ maxLength: 10 }),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(anyText, (parts) => {
        const once = text(parts.join(' '));
        expect(text(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('Text without a secret', () => {
  test.each([
    randomUUID(),
    'req_mock685ykc26eo60',
    'toolu_bwt9glvkh9k',
    'claude-sonnet-4-5-20250929',
    'agent:builtin:general-purpose',
    '2026-11-20T17:59:00.123Z',
    createHash('sha256').update('x').digest('hex'),
    '0a32f6321019cc6babb4bff96fd6386c90bfaa7a',
    'task-proj-2026-migration-cleanup',
    '/home/dev/projects/password-manager/src/token.ts',
    'PWD=/home/dev/projects/tower1',
    'const token = readToken(home);',
    'password: string;',
    'token: z.string().min(16)',
    'TOKEN=$GITHUB_TOKEN npm publish',
    'max_tokens: 4096, input_tokens=15000',
    'Basic authentication and Bearer authentication',
    'http://localhost:4318/v1/logs',
    'postgres://localhost:5432/tower',
    'git@github.com:owner/repository.git',
    'secretly, the key is in the keynote: password',
    '-----BEGIN CERTIFICATE-----',
    'sha512-AbCdEf0123456789AbCdEf0123456789AbCdEf0123456789==',
  ])('%s stays as it is', (clean) => {
    expect(text(clean)).toBe(clean);
  });
});

describe('A configured pattern', () => {
  const own = new Redactor([/EMP-\d{6}/, /[a-z0-9]{5,}/gi]);

  test('is redacted too, once and for all', () => {
    const redacted = own.text('badge EMP-123456');
    expect(redacted).not.toContain('EMP-123456');
    expect(redacted).toContain('[redacted:configured:');
    expect(own.text(redacted)).toBe(redacted);
  });

  test('that matches nothing at all adds nothing', () => {
    expect(new Redactor([/x*/g]).text('abc')).toBe('abc');
  });
});

describe('A hostile text', () => {
  /** How many times longer twice the text takes, at best of several tries. */
  function growth(make: (length: number) => string): number {
    const timed = (given: string) => {
      let best = Infinity;
      for (let run = 0; run < 5; run += 1) {
        const before = process.hrtime.bigint();
        text(given);
        best = Math.min(best, Number(process.hrtime.bigint() - before));
      }
      return best;
    };
    const short = make(125_000);
    const long = make(1_000_000);
    return timed(long) / timed(short);
  }

  test.each([
    'a',
    '0',
    ' ',
    '-',
    '"',
    '\\',
    ':',
    '://',
    '://a:',
    'eyJ',
    'eyJa.',
    'password=',
    'password: "',
    'token=',
    'api_key',
    'bearer ',
    'basic ',
    'sk-',
    'sk-ant-',
    'sk-proj-',
    'AKIA',
    'SG.',
    'SG.a',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    '123456789:AA',
    'secret_',
    'hooks.slack.com/services/',
    '%3D',
    'passpass',
    'AccountKey=',
    '[redacted:',
    'dp.pt.',
    'secret%3D%3D',
  ])('of a megabyte of %j takes time in proportion to its length', (part) => {
    // Eight times the text: in proportion 8, were it the square 64.
    expect(growth((length) => part.repeat(length / part.length))).toBeLessThan(30);
  });
});
