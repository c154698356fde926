import { createHmac, randomBytes } from 'node:crypto';
import { limits } from '#kernel/limits.js';

/** How a receiver knows that a notice is ours: Standard Webhooks, symmetric signatures. */

const secretBytes = 32;
const prefix = 'whsec_';

/** `whsec_` and 32 random bytes in base64. */
export function makeSecret(): string {
  return prefix + randomBytes(secretBytes).toString('base64');
}

/** Why somebody's own secret cannot be used; undefined when it can. */
export function faultOfSecret(secret: string): string | undefined {
  const { webhookSecretBytesMin: min, webhookSecretBytesMax: max } = limits;
  const bytes = keyOf(secret);
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === bare(secret).replace(/=+$/, '');
  return secret.startsWith(prefix) && isBase64 && bytes.length >= min && bytes.length <= max
    ? undefined
    : `It must be ${prefix} and ${min} to ${max} random bytes in base64.`;
}

export interface SignedMessage {
  /** The same whenever this message is sent. */
  readonly id: string;
  /** Of this attempt. */
  readonly sentAt: Date;
  readonly body: string;
}

/** The headers of a message, with one signature for each secret. */
export function signedHeaders(
  { id, sentAt, body }: SignedMessage,
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

function keyOf(secret: string): Buffer {
  return Buffer.from(bare(secret), 'base64');
}

function bare(secret: string): string {
  return secret.slice(prefix.length);
}
