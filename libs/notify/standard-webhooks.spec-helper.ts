import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const toleranceSeconds = 5 * 60;

/**
 * A receiver's check as the specification of Standard Webhooks describes it, written from that text
 * alone. Undefined when the message is genuine; else why it is refused.
 */
export function whyRefused(
  { headers, body }: SignedRequest,
  secret: string,
  nowSeconds = Date.now() / 1000,
): string | undefined {
  const id = String(headers['webhook-id'] ?? '');
  const timestamp = String(headers['webhook-timestamp'] ?? '');
  const signatures = String(headers['webhook-signature'] ?? '');
  if (id === '' || timestamp === '' || signatures === '') return 'a header is missing';
  if (!/^\d+$/.test(timestamp)) return 'the timestamp is none';
  const age = nowSeconds - Number(timestamp);
  if (age > toleranceSeconds) return 'the message is too old';
  if (age < -toleranceSeconds) return 'the message is of the future';
  const [scheme, encoded = ''] = secret.split('_');
  if (scheme !== 'whsec') return 'the secret is none';
  const key = Buffer.from(encoded, 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  const genuine = signatures.split(' ').some((one) => {
    const [version, signature = ''] = one.split(',');
    const given = Buffer.from(signature, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
  return genuine ? undefined : 'no signature fits';
}
