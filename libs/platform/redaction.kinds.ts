/**
 * What counts as a secret. Each pattern starts with letters that hardly occur elsewhere and repeats
 * only one class of characters after that, so that matching takes time in proportion to the text,
 * whatever the text.
 *
 * Lengths are well below those of whole secrets: what was cut off somewhere is still one.
 */
export interface SecretKind {
  readonly kind: string;
  /** Source of an expression that is found in every text that the pattern matches. */
  readonly trigger: string;
  /**
   * Global. The group `secret` is what is replaced (without it: all of the match), the group
   * `before` what stays in front of it.
   */
  readonly pattern: RegExp;
  /** A closer look at what the pattern alone cannot tell. */
  readonly isSecret?: (secret: string, before: string) => boolean;
}

/** A token that starts with a literal of its own. */
function token(kind: string, literal: string, rest: string): SecretKind {
  return { kind, trigger: literal, pattern: new RegExp(`${literal}${rest}`, 'g') };
}

/**
 * A token whose literal also ends longer words (`task-...`): it must start a word. What an escape
 * or a percent code ends with is no part of a word.
 */
function word(kind: string, literal: string, rest: string): SecretKind {
  const start = String.raw`(?<=(?:^|[^A-Za-z0-9]|\\[nrtbf]|%[0-9A-Fa-f]{2})${literal})`;
  return { kind, trigger: literal, pattern: new RegExp(`${literal}${start}${rest}`, 'g') };
}

const hasDigit = (text: string) => /\d/.test(text);
const hasLetter = (text: string) => /[A-Za-z]/.test(text);

const anthropic = [token('anthropic-key', 'sk-ant-', String.raw`[a-z]{2,12}\d{2}-[\w-]{10,}`)];

const models = [
  word('openai-key', 'sk-', String.raw`(?:proj|svcacct|admin|None)-[\w-]{16,}`),
  word('openrouter-key', 'sk-', String.raw`or-v1-[0-9a-f]{16,}`),
  {
    ...word('openai-key', 'sk-', '[A-Za-z0-9]{20,}'),
    isSecret: hasDigit,
  },
  token('google-api-key', 'AIza', String.raw`[\w-]{30,}`),
  token('google-oauth-secret', 'GOCSPX-', String.raw`[\w-]{20,}`),
  token('google-oauth-token', String.raw`ya29\.`, String.raw`[\w-]{20,}`),
  token('huggingface-token', 'hf_', '[A-Za-z0-9]{30,}'),
  token('groq-key', 'gsk_', '[A-Za-z0-9]{30,}'),
  token('xai-key', 'xai-', '[A-Za-z0-9]{40,}'),
  token('replicate-token', 'r8_', '[A-Za-z0-9]{30,}'),
  token('perplexity-key', 'pplx-', '[A-Za-z0-9]{30,}'),
];

const code = [
  token('github-token', 'gh[pousr]_', '[A-Za-z0-9]{20,}'),
  token('github-token', 'github_pat_', String.raw`\w{20,}`),
  token('gitlab-token', 'gl(?:pat|dt|ptt|rt|soat|ft|cbt|agent)-', String.raw`[\w-]{20,}`),
  token('npm-token', 'npm_', '[A-Za-z0-9]{30,}'),
  token('pypi-token', 'pypi-', String.raw`[\w-]{40,}`),
  token('rubygems-key', 'rubygems_', '[0-9a-f]{32,}'),
  token('docker-token', 'dckr_(?:pat|oat)_', String.raw`[\w-]{20,}`),
  token('postman-key', 'PMAK-', '[0-9a-f]{20,}(?:-[0-9a-f]{10,})?'),
  token('atlassian-token', 'AT(?:ATT|CTT)3', String.raw`[\w=-]{40,}`),
  token('linear-key', 'lin_(?:api|oauth)_', '[A-Za-z0-9]{30,}'),
  token('notion-token', 'ntn_', '[A-Za-z0-9]{30,}'),
  token('notion-token', 'secret_', '[A-Za-z0-9]{40,}'),
  token('figma-token', 'figd_', String.raw`[\w-]{30,}`),
  token('airtable-token', String.raw`pat[A-Za-z0-9]{14}\.`, '[0-9a-f]{40,}'),
  token('sentry-token', 'sntry[su]_', String.raw`[\w+/=-]{30,}`),
];

const clouds = [
  word('aws-access-key-id', '(?:AKIA|ASIA|ABIA|ACCA)', '[A-Z0-9]{16}(?![A-Za-z0-9])'),
  token('digitalocean-token', 'do[opr]_v1_', '[0-9a-f]{40,}'),
  word('databricks-token', 'dapi', '[0-9a-f]{32}(?:-[0-9])?'),
  token('vault-token', String.raw`hv[sbr]\.`, String.raw`[\w-]{20,}`),
  token('terraform-token', String.raw`\.atlasv1\.`, String.raw`[\w-]{40,}`),
  token('grafana-token', 'gl(?:sa|c)_', String.raw`[\w=+/]{30,}`),
  token('newrelic-key', 'NRAK-', '[A-Z0-9]{20,}'),
  token('tailscale-key', 'tskey-', String.raw`[\w-]{20,}`),
  token('pulumi-token', 'pul-', '[0-9a-f]{40}'),
  token('planetscale-token', 'pscale_(?:tkn|pw|oauth)_', String.raw`[\w.=-]{20,}`),
  token('supabase-token', 'sbp_', '[0-9a-f]{40}'),
  token('doppler-token', String.raw`dp\.(?:pt|st|ct|sa|scim|audit)\.`, String.raw`[\w.-]{30,}`),
  token('age-key', 'AGE-SECRET-KEY-1', '[A-Z0-9]{40,}'),
  {
    kind: 'azure-key',
    trigger: '(?:AccountKey|SharedAccessKey)=',
    pattern: /(?<before>(?:AccountKey|SharedAccessKey)=)(?<secret>[\w+/%=-]{20,})/g,
  },
  { kind: 'azure-sas', trigger: 'sig=', pattern: /(?<before>[?&;]sig=)(?<secret>[\w+/%=-]{20,})/g },
];

const services = [
  token('slack-token', 'xox[abeoprs]-', String.raw`[\w-]{10,}`),
  token('slack-token', 'xapp-', String.raw`[\w-]{20,}`),
  {
    kind: 'slack-webhook',
    trigger: String.raw`hooks\.slack`,
    pattern:
      /(?<before>hooks\.slack\.com\/(?:services|workflows|triggers)\/)(?<secret>[\w/]{20,})/g,
  },
  {
    kind: 'discord-webhook',
    trigger: '/api/webhooks/',
    pattern: /(?<before>\/api\/webhooks\/\d{10,25}\/)(?<secret>[\w-]{40,})/g,
  },
  token('stripe-key', '[rs]k_(?:live|test)_', '[A-Za-z0-9]{16,}'),
  token('webhook-secret', 'whsec_', '[A-Za-z0-9+/=]{20,}'),
  word('twilio-key', 'SK', '[0-9a-f]{32}(?![A-Za-z0-9])'),
  token('sendgrid-key', String.raw`SG\.`, String.raw`[\w-]{16,}\.[\w-]{16,}`),
  word('mailgun-key', 'key-', '[0-9a-f]{32}(?![A-Za-z0-9])'),
  token('shopify-token', 'shp(?:at|ca|pa|ss)_', '[0-9A-Fa-f]{32}'),
  token('square-token', 'sq0[a-z]{3}-', String.raw`[\w-]{22,}`),
  {
    kind: 'telegram-token',
    trigger: ':AA',
    pattern: /:AA(?<=\d{8,10}:AA)[\w-]{32,}/g,
  },
];

/** Headers, certificates, addresses. */
const carriers: SecretKind[] = [
  {
    kind: 'private-key',
    trigger: '-----BEGIN',
    // To the end of the text where the end was cut off.
    pattern:
      /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{1,60}-----|$)/g,
  },
  {
    kind: 'jwt',
    trigger: 'eyJ',
    // It must start a run of its characters, or each of many starts would look through the same run.
    pattern:
      /eyJ(?<=(?:^|[^\w-]|\\[nrtbf]|%[0-9A-Fa-f]{2})eyJ)[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?/g,
  },
  {
    kind: 'bearer-token',
    trigger: 'bearer',
    pattern: /(?<before>bearer(?:\s|%20|\+){1,3})(?<secret>[\w.~+/=-]{12,})/gi,
    isSecret: hasDigit,
  },
  {
    kind: 'basic-credentials',
    trigger: 'basic',
    pattern: /(?<before>basic(?:\s|%20|\+){1,3})(?<secret>[A-Za-z0-9+/]{8,}={0,2})/gi,
    // "Basic authentication" is two words; what is meant decodes to a name, a colon, a password.
    isSecret: (secret) => Buffer.from(secret, 'base64').includes(':'),
  },
  {
    kind: 'url-password',
    trigger: '://',
    pattern: /(?<before>:\/\/[^\s:/@'"`<>]{0,128}:)(?<secret>[^\s/'"`<>[\]]{1,256})(?=@)/g,
    isSecret: (secret) => !/^\$|^\{|^%[sv]$/.test(secret),
  },
];

const secretName =
  'passwords?|passwd|passphrase|pwd|secrets?|token|credentials?|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|account[_-]?key|auth[_-]?key';

/** `PASSWORD=...`, `"apiKey": "..."`, `--token ...`: what counts as a value is decided below. */
const assignments: SecretKind[] = [
  {
    kind: 'assigned-secret',
    trigger: secretName,
    pattern: new RegExp(
      String.raw`(?<before>(?:${secretName})\\*["'\x60]?\s{0,4}(?:=>|:=|[:=]|%3[AD])\s{0,4}\\*["'\x60])(?<secret>[^"'\x60\\\r\n]{4,512})`,
      'gi',
    ),
    isSecret: isQuotedSecret,
  },
  {
    kind: 'assigned-secret',
    trigger: secretName,
    pattern: new RegExp(
      String.raw`(?<before>(?:${secretName})\\*["'\x60]?\s{0,4}(?:=>|:=|[:=]|%3[AD])\s{0,4})(?<secret>[^\s"'\x60\\,;&<>(){}[\]|]{6,512})`,
      'gi',
    ),
    isSecret: isBareSecret,
  },
];

const isPassword = (before: string) => /^(?:pass|pwd)/i.test(before);

/** In quotes a password may be words; anything else is one run of characters with a digit in it. */
function isQuotedSecret(secret: string, before: string): boolean {
  if (/^[$<{%]|^[~^]?\d+\.\d+\.\d+$/.test(secret)) return false;
  if (isPassword(before)) return secret.length <= 128;
  return secret.length >= 8 && !/\s/.test(secret) && hasDigit(secret) && hasLetter(secret);
}

/**
 * Without quotes it may as well be code (`token = readToken(home)`), so it takes an assignment
 * without spaces, as in an environment or an address, or a value that can be nothing else.
 */
function isBareSecret(secret: string, before: string): boolean {
  if (/^[$%/~]|^\w+\.[A-Za-z_]/.test(secret)) return false;
  const isTight = !/\s/.test(before);
  const isMixed = hasDigit(secret) && hasLetter(secret);
  if (isPassword(before))
    return isTight ? /[=%]/.test(before) || isMixed : isMixed && secret.length >= 8;
  return isMixed && secret.length >= (isTight ? 8 : 16);
}

/** In this order: what is more telling first, so that a mark says what a secret was. */
export const secretKinds: readonly SecretKind[] = [
  ...carriers.slice(0, 1),
  ...anthropic,
  ...models,
  ...code,
  ...clouds,
  ...services,
  ...carriers.slice(1),
  ...assignments,
];

function anyOf(kinds: readonly SecretKind[], flags: string): RegExp {
  return new RegExp([...new Set(kinds.map(({ trigger }) => trigger))].join('|'), flags);
}

const exactTriggers = anyOf(
  secretKinds.filter(({ pattern }) => !pattern.ignoreCase),
  '',
);
const anyCaseTriggers = anyOf(
  secretKinds.filter(({ pattern }) => pattern.ignoreCase),
  'i',
);
const shortestSecret = 8;
/** UUIDs, hashes, times: most of the strings that come by. */
const plain = /^[0-9a-f:.TZ-]*$/;

/** False for nearly all text that holds no secret, and quickly. */
export function mayHoldSecret(text: string): boolean {
  return (
    text.length >= shortestSecret &&
    !plain.test(text) &&
    (exactTriggers.test(text) || anyCaseTriggers.test(text))
  );
}
