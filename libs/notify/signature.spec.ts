import fc from 'fast-check';
import { faultOfSecret, makeSecret, signedHeaders } from './signature.js';
import { whyRefused } from './standard-webhooks.spec-helper.js';

const sentAt = new Date(1_614_265_330_000);
const seconds = sentAt.getTime() / 1000;
const body = '{"test": 2432232314}';
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';

test('A message is signed as the published example is', () => {
  const headers = signedHeaders({ id, sentAt, body }, ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']);
  expect(headers).toEqual({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

describe('A receiver that keeps to the specification', () => {
  const secret = makeSecret();
  const headers = signedHeaders({ id, sentAt, body }, [secret]);

  test('takes any message of ours', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uuid(), (text, uuid) => {
        const signed = signedHeaders({ id: uuid, sentAt, body: text }, [secret]);
        expect(whyRefused({ headers: signed, body: text }, secret, seconds)).toBeUndefined();
      }),
    );
  });

  test('refuses it with another body, id or secret', () => {
    const other = { ...headers, 'webhook-id': `${id}x` };
    expect(whyRefused({ headers, body: `${body} ` }, secret, seconds)).toBe('no signature fits');
    expect(whyRefused({ headers: other, body }, secret, seconds)).toBe('no signature fits');
    expect(whyRefused({ headers, body }, makeSecret(), seconds)).toBe('no signature fits');
  });

  test('refuses it after five minutes, and five minutes before, also with the time altered', () => {
    expect(whyRefused({ headers, body }, secret, seconds + 299)).toBeUndefined();
    expect(whyRefused({ headers, body }, secret, seconds + 301)).toBe('the message is too old');
    expect(whyRefused({ headers, body }, secret, seconds - 301)).toBe(
      'the message is of the future',
    );
    const later = { ...headers, 'webhook-timestamp': String(seconds + 301) };
    expect(whyRefused({ headers: later, body }, secret, seconds + 301)).toBe('no signature fits');
  });

  test('takes it with either secret while one is being exchanged for the other', () => {
    const next = makeSecret();
    const both = signedHeaders({ id, sentAt, body }, [next, secret]);
    expect(both['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(whyRefused({ headers: both, body }, secret, seconds)).toBeUndefined();
    expect(whyRefused({ headers: both, body }, next, seconds)).toBeUndefined();
  });
});

describe('A secret', () => {
  const ofBytes = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

  test('that is made is another each time, and can be used', () => {
    expect(makeSecret()).not.toBe(makeSecret());
    expect(faultOfSecret(makeSecret())).toBeUndefined();
  });

  test.each([24, 25, 64])('of %i bytes can be used, with its padding or without', (bytes) => {
    expect(faultOfSecret(ofBytes(bytes))).toBeUndefined();
    expect(faultOfSecret(ofBytes(bytes).replace(/=+$/, ''))).toBeUndefined();
  });

  test.each([
    ofBytes(23),
    ofBytes(65),
    ofBytes(32).replace('whsec_', ''),
    ofBytes(32).replace('whsec_', 'whpk_'),
    'whsec_',
    `whsec_${'!'.repeat(44)}`,
    `${ofBytes(32)}\n`,
    `whsec_ ${ofBytes(32).slice(6)}`,
  ])('such as %j cannot', (secret) => {
    expect(faultOfSecret(secret)).toContain('24 to 64 random bytes in base64');
  });
});
