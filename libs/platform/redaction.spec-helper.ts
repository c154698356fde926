/**
 * Made-up secrets, one or more of each kind, put together from pieces so that no scanner takes this
 * file for a leak.
 */

const letters = 'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z';

/** Letters and digits without meaning. */
function chars(length: number): string {
  return letters.repeat(Math.ceil(length / letters.length)).slice(0, length);
}

function hex(length: number): string {
  return '0123456789abcdef'.repeat(Math.ceil(length / 16)).slice(0, length);
}

function upper(length: number): string {
  return chars(length).toUpperCase();
}

/** A piece that on its own is nothing, kept apart from the next so that the source holds no secret. */
function cut(piece: string): string {
  return piece;
}

const keyLines = `${chars(64)}\n${chars(64)}\n${chars(20)}==`;
const pem = (type: string, body: string) =>
  `-----BEGIN ${type}PRIVATE${cut(' ')}KEY-----\n${body}\n-----END ${type}PRIVATE${cut(' ')}KEY-----`;

/** Kind as it stands in the mark, and the secret itself. */
export const tokens: readonly (readonly [kind: string, secret: string])[] = [
  ['anthropic-key', `sk-${cut('ant')}-api03-${chars(93)}AA`],
  ['anthropic-key', `sk-${cut('ant')}-admin01-${chars(93)}AA`],
  ['anthropic-key', `sk-${cut('ant')}-oat01-${chars(93)}AA`],
  ['openai-key', `sk-${cut('proj')}-${chars(20)}_${chars(20)}`],
  ['openai-key', `sk-${cut('svcacct')}-${chars(40)}`],
  ['openai-key', `sk-${chars(48)}`],
  ['openrouter-key', `sk-${cut('or')}-v1-${hex(64)}`],
  ['google-api-key', `AI${cut('za')}Sy${chars(33)}`],
  ['google-oauth-secret', `GOC${cut('SPX')}-${chars(28)}`],
  ['google-oauth-token', `ya${cut('29')}.${chars(60)}`],
  ['huggingface-token', `h${cut('f')}_${chars(34)}`],
  ['groq-key', `gs${cut('k')}_${chars(52)}`],
  ['xai-key', `xa${cut('i')}-${chars(80)}`],
  ['replicate-token', `r${cut('8')}_${chars(37)}`],
  ['perplexity-key', `ppl${cut('x')}-${chars(48)}`],
  ['github-token', `gh${cut('p')}_${chars(36)}`],
  ['github-token', `gh${cut('o')}_${chars(36)}`],
  ['github-token', `gh${cut('u')}_${chars(36)}`],
  ['github-token', `gh${cut('s')}_${chars(36)}`],
  ['github-token', `gh${cut('r')}_${chars(36)}`],
  ['github-token', `github_${cut('pat')}_${chars(22)}_${chars(59)}`],
  ['gitlab-token', `gl${cut('pat')}-${chars(20)}`],
  ['npm-token', `np${cut('m')}_${chars(36)}`],
  ['pypi-token', `py${cut('pi')}-AgEIcHlwaS5vcmc${chars(60)}`],
  ['rubygems-key', `ruby${cut('gems')}_${hex(48)}`],
  ['docker-token', `dckr_${cut('pat')}_${chars(27)}`],
  ['postman-key', `PM${cut('AK')}-${hex(24)}-${hex(34)}`],
  ['atlassian-token', `AT${cut('ATT3')}${chars(180)}`],
  ['linear-key', `lin_${cut('api')}_${chars(40)}`],
  ['notion-token', `nt${cut('n')}_${chars(46)}`],
  ['notion-token', `sec${cut('ret')}_${chars(43)}`],
  ['figma-token', `fi${cut('gd')}_${chars(40)}`],
  ['airtable-token', `pa${cut('t')}${chars(14)}.${hex(64)}`],
  ['sentry-token', `sn${cut('trys')}_${chars(60)}`],
  ['aws-access-key-id', `AK${cut('IA')}${upper(16)}`],
  ['aws-access-key-id', `AS${cut('IA')}${upper(16)}`],
  ['digitalocean-token', `do${cut('p')}_v1_${hex(64)}`],
  ['databricks-token', `da${cut('pi')}${hex(32)}`],
  ['vault-token', `hv${cut('s')}.${chars(24)}`],
  ['grafana-token', `gl${cut('sa')}_${chars(32)}_${hex(8)}`],
  ['newrelic-key', `NR${cut('AK')}-${upper(27)}`],
  ['tailscale-key', `ts${cut('key')}-auth-${chars(20)}`],
  ['pulumi-token', `pu${cut('l')}-${hex(40)}`],
  ['planetscale-token', `pscale_${cut('tkn')}_${chars(43)}`],
  ['supabase-token', `sb${cut('p')}_${hex(40)}`],
  ['doppler-token', `dp.${cut('pt')}.${chars(43)}`],
  ['age-key', `AGE-SECRET-${cut('KEY')}-1${upper(58)}`],
  ['slack-token', `xox${cut('b')}-123456789012-${chars(24)}`],
  ['slack-token', `xox${cut('p')}-123456789012-${chars(24)}`],
  ['stripe-key', `sk_${cut('live')}_${chars(24)}`],
  ['stripe-key', `rk_${cut('live')}_${chars(24)}`],
  ['webhook-secret', `wh${cut('sec')}_${chars(32)}`],
  ['twilio-key', `S${cut('K')}${hex(32)}`],
  ['sendgrid-key', `S${cut('G')}.${chars(22)}.${chars(43)}`],
  ['mailgun-key', `ke${cut('y')}-${hex(32)}`],
  ['shopify-token', `sh${cut('pat')}_${hex(32)}`],
  ['square-token', `sq${cut('0csp')}-${chars(43)}`],
  ['jwt', `ey${cut('J')}${chars(20)}.ey${cut('J')}${chars(40)}.${chars(43)}`],
  ['private-key', pem('RSA ', keyLines)],
  ['private-key', pem('OPENSSH ', keyLines)],
  ['private-key', pem('', keyLines.replaceAll('\n', '\\n'))],
];

/** Kind, text, and which part of the text is the secret. */
export const inContext: readonly (readonly [kind: string, text: string, secret: string])[] = [
  ['azure-key', `AccountName=a;Account${cut('Key')}=${chars(86)}==;Endpoint=x`, chars(86)],
  ['azure-sas', `https://a.blob.example/c?sv=2024&sig=${chars(40)}%3D`, chars(40)],
  ['slack-webhook', `https://hooks.slack.com/services/T0/B0/${chars(24)}`, chars(24)],
  ['discord-webhook', `https://discord.com/api/webhooks/1234567890123/${chars(68)}`, chars(68)],
  ['telegram-token', `https://api.telegram.org/bot123456789:AA${chars(33)}/getMe`, chars(33)],
  ['bearer-token', `Authorization: Bearer ${chars(40)}`, chars(40)],
  ['bearer-token', `{"authorization":"bearer ${hex(40)}"}`, hex(40)],
  ['bearer-token', `line\\nBearer ${chars(40)}`, chars(40)],
  [
    'basic-credentials',
    `curl -H 'Authorization: Basic ${Buffer.from(`me:${chars(12)}`).toString('base64')}'`,
    Buffer.from(`me:${chars(12)}`).toString('base64'),
  ],
  ['url-password', `postgres://tower:${chars(12)}@db.example:5432/tower`, chars(12)],
  ['url-password', `redis://:${chars(12)}@cache.example`, chars(12)],
  ['url-password', `https://x-access-token:${hex(20)}@git.example/a.git`, hex(20)],
  ['assigned-secret', 'export DB_PASSWORD=correcthorse', 'correcthorse'],
  ['assigned-secret', '{"password": "correct horse battery"}', 'correct horse battery'],
  ['assigned-secret', `{\\"password\\":\\"correct horse\\"}`, 'correct horse'],
  ['assigned-secret', 'password: hunter2hunter2', 'hunter2hunter2'],
  ['assigned-secret', `AWS_SECRET_ACCESS_KEY=${chars(38)}/+`, `${chars(38)}/+`],
  ['assigned-secret', `aws_secret_access_key = ${chars(40)}`, chars(40)],
  ['assigned-secret', `--api-key=${chars(24)}`, chars(24)],
  ['assigned-secret', `apiKey: '${chars(24)}'`, chars(24)],
  ['assigned-secret', `https://a.example/?access_token=${hex(64)}&page=2`, hex(64)],
  ['assigned-secret', `client_secret%3D${chars(30)}`, chars(30)],
  ['assigned-secret', `token => "${hex(64)}"`, hex(64)],
];

/** The part of a secret that must not be seen: all but its public beginning. */
export function core(secret: string): string {
  return secret.slice(Math.floor(secret.length / 2)).slice(0, 12);
}
