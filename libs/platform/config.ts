import { existsSync, readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { limits } from '#kernel/limits.js';

/**
 * The one configuration schema. Each setting comes from the environment, else from
 * `config.json` in the data folder, else from its default; a wrong value is one clear sentence.
 */

const port = z.preprocess(
  (value) => (typeof value === 'string' && /^\d{1,5}$/.test(value.trim()) ? Number(value) : value),
  z.int('must be a port number').min(0, 'must be 0 to 65535').max(65535, 'must be 0 to 65535'),
);
const listOf = (separator: string | RegExp) =>
  z.union(
    [
      z.array(z.string()),
      z.string().transform((text) =>
        text
          .split(separator)
          .map((item) => item.trim())
          .filter(Boolean),
      ),
    ],
    'must be text with commas between its items, or a list of texts',
  );
const list = listOf(',');
/** The comma of a quantifier such as `{20,}` does not end a pattern. */
const patterns = listOf(/,(?!\d*\})/);

const roleName = z.enum(
  ['receiver', 'api', 'projector', 'watchdog'],
  'must be "all" or some of receiver, api, projector, watchdog',
);
export type Role = z.infer<typeof roleName>;

const exportIntervalRange = `must be ${limits.exportIntervalMsMin} to ${limits.exportIntervalMsMax}`;

interface Setting<Schema extends z.ZodType = z.ZodType> {
  readonly variable: string;
  readonly schema: Schema;
  readonly default: z.input<Schema>;
  readonly about: string;
}

function setting<Schema extends z.ZodType>(
  variable: string,
  schema: Schema,
  defaultValue: z.input<Schema>,
  about: string,
): Setting<Schema> {
  return { variable, schema, default: defaultValue, about };
}

export const settings = {
  home: setting(
    'TRI_AGENT_HOME',
    z.string().transform((path) => resolve(path)),
    join(homedir(), '.tri-agent'),
    'Data folder: events.db, read-models.db, token, content/, config.json.',
  ),
  roles: setting(
    'TRI_AGENT_ROLES',
    list.transform((names, context) => {
      const wanted = names.includes('all') ? roleName.options : names;
      const parsed = z.array(roleName).nonempty('must name a role, or be "all"').safeParse(wanted);
      if (parsed.success) return parsed.data;
      context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? 'wrong' });
      return z.NEVER;
    }),
    'all',
    'What this process does: all, or some of receiver,api,projector,watchdog.',
  ),
  bind: setting(
    'TRI_AGENT_BIND',
    z.string().min(1),
    '127.0.0.1',
    'Address to listen on. Elsewhere than loopback every port needs the token.',
  ),
  httpPort: setting('TRI_AGENT_HTTP_PORT', port, 8080, 'REST, SSE, health and metrics.'),
  otlpHttpPort: setting('TRI_AGENT_OTLP_HTTP_PORT', port, 4318, 'OTLP over HTTP.'),
  otlpGrpcPort: setting('TRI_AGENT_OTLP_GRPC_PORT', port, 4317, 'OTLP over gRPC.'),
  token: setting(
    'TRI_AGENT_TOKEN',
    z.string().min(16, 'must have at least 16 characters').nullable(),
    null,
    'Access token. Unset: the file "token" in the data folder, made at first start.',
  ),
  url: setting(
    'TRI_AGENT_URL',
    z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).nullable(),
    null,
    'Where the command line and workers find the server. Unset: http://127.0.0.1:<http port>.',
  ),
  log: setting(
    'TRI_AGENT_LOG',
    z.literal('sqlite', 'must be "sqlite"'),
    'sqlite',
    'Where events are kept: sqlite (events.db in the data folder).',
  ),
  content: setting(
    'TRI_AGENT_CONTENT',
    z.enum(['off', 'on'], 'must be "on" or "off"'),
    'off',
    'Whether prompts, answers and tool content are kept (redacted, in content/, erasable).',
  ),
  defaultBudgets: setting(
    'TRI_AGENT_DEFAULT_BUDGETS',
    z.enum(['off', 'on'], 'must be "on" or "off"'),
    'on',
    'Whether a new data folder begins with budgets: $1.00 a minute and $75.00 a day in all.',
  ),
  leaseMs: setting(
    'TRI_AGENT_LEASE_MS',
    z.coerce
      .number('must be milliseconds')
      .int('must be whole milliseconds')
      .min(limits.leaseMsMin, `must be ${limits.leaseMsMin} to ${limits.leaseMsMax}`)
      .max(limits.leaseMsMax, `must be ${limits.leaseMsMin} to ${limits.leaseMsMax}`),
    limits.leaseMs,
    'How long a worker may be silent before its tasks are given to others.',
  ),
  containment: setting(
    'TRI_AGENT_CONTAINMENT',
    z.enum(
      ['auto', 'cgroup', 'pid-namespace', 'none'],
      'must be "auto", "cgroup", "pid-namespace" or "none"',
    ),
    'auto',
    'What workers hold an agent together by, with all that it starts. auto: the best that the host allows.',
  ),
  exportIntervalMs: setting(
    'TRI_AGENT_EXPORT_INTERVAL_MS',
    z.coerce
      .number('must be milliseconds')
      .int('must be whole milliseconds')
      .min(limits.exportIntervalMsMin, exportIntervalRange)
      .max(limits.exportIntervalMsMax, exportIntervalRange),
    limits.exportIntervalMs,
    'How often agents export log records. A session whose request is open is silent after three of them.',
  ),
  redact: setting(
    'TRI_AGENT_REDACT',
    patterns.transform((sources, context) => {
      try {
        return sources.map((source) => new RegExp(source, 'g'));
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    }),
    [],
    'More patterns to redact: regular expressions, comma-separated (a list in config.json).',
  ),
  allowedHosts: setting(
    'TRI_AGENT_ALLOWED_HOSTS',
    list,
    [],
    'Host names, besides loopback ones, under which this server may be called.',
  ),
  desktopNotices: setting(
    'TRI_AGENT_DESKTOP_NOTICES',
    z.enum(['on', 'off'], 'must be "on" or "off"'),
    'on',
    'Whether warnings are shown on the desktop of the server, where there is one.',
  ),
  allowedOrigins: setting(
    'TRI_AGENT_ALLOWED_ORIGINS',
    list,
    [],
    'Origins, besides its own, whose pages may call this server.',
  ),
} as const;

type Settings = typeof settings;
export type SettingName = keyof Settings;
export type Config = { readonly [K in SettingName]: z.output<Settings[K]['schema']> };
type SettingOrigin = 'environment' | 'file' | 'default';

export interface LoadedConfig {
  readonly config: Config;
  readonly origins: Readonly<Record<SettingName, SettingOrigin>>;
  readonly file: string;
}

/** A setting that cannot be used. The message names it, where it stands and what is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws {ConfigError} */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
  overrides: Readonly<Partial<Record<SettingName, string>>> = {},
): LoadedConfig {
  const home = overrides.home || environment[settings.home.variable] || settings.home.default;
  const file = join(resolve(home), 'config.json');
  const fromFile = readConfigFile(file);
  const values: Record<string, unknown> = {};
  const origins: Record<string, SettingOrigin> = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    const { variable, schema, default: defaultValue } = settings[name];
    const given = overrides[name] ?? environment[variable];
    const set = given !== undefined && given !== '';
    const inFile = Object.hasOwn(fromFile, name);
    const value = set ? given : inFile ? fromFile[name] : defaultValue;
    const result = schema.safeParse(value);
    if (!result.success) {
      const where = set ? variable : `"${name}" in ${file}`;
      throw new ConfigError(`${where} ${result.error.issues[0]?.message ?? 'is wrong'}.`);
    }
    values[name] = result.data;
    origins[name] = set ? 'environment' : inFile ? 'file' : 'default';
  }
  return {
    config: values as unknown as Config,
    origins: origins as Record<SettingName, SettingOrigin>,
    file,
  };
}

function readConfigFile(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError(`${file} is not readable JSON: ${(error as Error).message}.`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError(`${file} must hold one JSON object.`);
  }
  const unknown = Object.keys(parsed).find((key) => !Object.hasOwn(settings, key));
  if (unknown !== undefined) {
    const known = Object.keys(settings).join(', ');
    throw new ConfigError(
      `${file} has a setting "${unknown}" that does not exist. Known: ${known}.`,
    );
  }
  return parsed as Record<string, unknown>;
}

export function isLoopback(address: string): boolean {
  if (address === 'localhost' || address === '::1') return true;
  return isIPv4(address) && address.startsWith('127.');
}
