import { limits } from '#kernel/limits.js';
import { isPublicAddress } from './addresses.policy.js';

/** A URL that may be kept, in the one way to write it; or why it may not. */
export type CheckedUrl = { readonly url: string } | { readonly fault: string };

const secretName =
  /token|secret|passw|pwd|credential|auth|signature|(?:^|[-_.])(?:key|sig|pass)$|api[-_.]?key|access[-_.]?key/i;

/**
 * What the operator gave as a webhook's URL. It goes into the log, so nothing in it may be secret.
 * Names are looked at again at every delivery, by their addresses; here only what can be said by the
 * URL alone is said, so that the operator hears of it at once.
 *
 * @param looksSecret says whether a text holds what looks like a secret.
 */
export function checkUrl(
  text: string,
  allowPrivate: boolean,
  looksSecret: (text: string) => boolean,
): CheckedUrl {
  if (!URL.canParse(text)) return { fault: 'It is no URL; it must be like https://host/path.' };
  const url = new URL(text);
  const fault =
    faultOfPlace(url, allowPrivate) ?? faultOfSecrets(url, looksSecret) ?? faultOfLength(url);
  return fault === undefined ? { url: url.href } : { fault };
}

function faultOfPlace(url: URL, allowPrivate: boolean): string | undefined {
  const isHttp = url.protocol === 'http:';
  if (url.protocol !== 'https:' && !isHttp) return 'It must begin with https://.';
  if (allowPrivate) return undefined;
  if (isHttp) return 'Plain http:// is only for webhooks that may be private; use https://.';
  if (isOwnName(url.hostname) || isPrivateLiteral(url.hostname)) {
    return 'It leads to this host or into a private network, which has to be allowed for it.';
  }
  return undefined;
}

function faultOfSecrets(url: URL, looksSecret: (text: string) => boolean): string | undefined {
  if (url.username !== '' || url.password !== '') {
    return 'It has a user name or a password in it, and would stand in the log.';
  }
  if (url.hash !== '') return 'It has a part after #, which is never sent.';
  const named = [...url.searchParams.keys()].find((name) => secretName.test(name));
  if (named !== undefined || looksSecret(url.href) || looksSecret(decoded(url.href))) {
    return (
      'Something in it looks like a secret, and it would stand in the log. What is sent is signed: ' +
      'let the receiver check the signature instead.'
    );
  }
  return undefined;
}

function faultOfLength(url: URL): string | undefined {
  return url.href.length > limits.webhookUrlCharactersMax
    ? `It has more than ${limits.webhookUrlCharactersMax} characters.`
    : undefined;
}

function isOwnName(hostname: string): boolean {
  return /(?:^|\.)localhost\.?$/.test(hostname);
}

/** An address written out, which the parser of URLs has brought into its usual form. */
function isPrivateLiteral(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  const isLiteral = hostname.startsWith('[') || /^[\d.]+$/.test(address);
  return isLiteral && !isPublicAddress(address);
}

function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}
