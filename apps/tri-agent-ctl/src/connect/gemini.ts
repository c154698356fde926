import { existsSync, realpathSync } from 'node:fs';
import type { Io } from '../io.js';
import type { Agent, Rival, Surroundings, Values, Wanted, Warning } from './agent.js';
import { isOurs, shownValue, type Change } from './changes.js';
import { editEnvBlock, envValues, hasEnvBlock } from './env-block.js';
import { late } from './export-delay.js';
import { envFilesInOrder, geminiEnvFile, geminiFolder, telemetrySettings } from './gemini-files.js';
import type { SettingsFile } from './settings-file.js';

const endpointKey = 'GEMINI_TELEMETRY_OTLP_ENDPOINT';
const targetKey = 'GEMINI_TELEMETRY_TARGET';
/** Where it is set, and not empty, everything goes into that file. */
const outfileKey = 'GEMINI_TELEMETRY_OUTFILE';
/** Where it is on, telemetry waits for a login. */
const cliAuthKey = 'GEMINI_TELEMETRY_USE_CLI_AUTH';

/** Gemini CLI rewrites its settings.json, so that what must stay stands in the `.env` that it reads. */
export const gemini: Agent = {
  word: 'gemini',
  id: 'gemini',
  title: 'Gemini CLI',
  program: { name: 'gemini', variable: 'TRI_AGENT_GEMINI_BIN' },
  prefix: '',
  section: 'environment',
  destinationKeys: [endpointKey],
  afterwards:
    'Running sessions have to be started anew. Gemini CLI reads the file only in folders that it trusts. Its hooks are left alone: it rewrites the file that they stand in.',
  folder: geminiFolder,
  settingsPath: geminiEnvFile,
  wanted,
  open: ({ text }) => ({
    values: envValues(text),
    hasSection: hasEnvBlock(text),
    edit: (changes) => editEnvBlock(text, changes),
  }),
  isEmpty: (text) => text.trim() === '',
  same: (one, other) => one === other,
  rivals,
  surroundings: (io, file, values, settings) =>
    Promise.resolve(surroundings(io, file, values, settings)),
  shown: shownValue,
  byHand: ({ required, whereUnset }) =>
    Object.entries({ ...required, ...whereUnset }).map(
      ([key, value]) => `export ${key}=${shownValue(key, value)}`,
    ),
};

function wanted(endpoint: string, token?: string): Wanted {
  return {
    endpoint,
    holdsToken: token !== undefined,
    required: {
      GEMINI_TELEMETRY_ENABLED: 'true',
      [targetKey]: 'local',
      [endpointKey]: endpoint,
      GEMINI_TELEMETRY_OTLP_PROTOCOL: 'http',
      ...(token === undefined
        ? {}
        : {
            OTEL_EXPORTER_OTLP_HEADERS: `Authorization=${encodeURIComponent(`Bearer ${token}`)}`,
          }),
    },
    whereUnset: {
      GEMINI_TELEMETRY_LOG_PROMPTS: 'false',
      GEMINI_TELEMETRY_TRACES_ENABLED: 'false',
    },
  };
}

function rivals(values: Values, { endpoint }: Wanted, recorded: readonly Change[]): Rival[] {
  const there = values[endpointKey];
  const elsewhere =
    there !== undefined && there !== endpoint && !isOurs(gemini, endpointKey, there, recorded);
  return [
    ...(elsewhere ? [rival(endpointKey, there)] : []),
    ...(values[targetKey] === 'gcp' ? [rival(targetKey, 'gcp')] : []),
    ...(values[outfileKey] ? [rival(outfileKey, values[outfileKey], { [outfileKey]: '' })] : []),
  ];
}

function rival(key: string, value: unknown, instead: Values = {}): Rival {
  return { what: `${key}=${shownValue(key, value)}`, instead };
}

function surroundings(io: Io, file: SettingsFile, values: Values, settings: Wanted): Surroundings {
  return {
    rivals: telemetrySettings(io).flatMap((found) => rivalsInSettings(found, values, settings)),
    warnings: [...hidden(io, file), ...fromShell(io, settings), ...late(io.env)],
  };
}

/** Settings that the file does not overrule already. */
function rivalsInSettings(
  { file, telemetry }: ReturnType<typeof telemetrySettings>[number],
  values: Values,
  { endpoint }: Wanted,
): Rival[] {
  const overrides: readonly (readonly [name: string, key: string, instead: Values])[] = [
    ['otlpEndpoint', endpointKey, {}],
    ['target', targetKey, {}],
    ['outfile', outfileKey, { [outfileKey]: '' }],
    ['useCliAuth', cliAuthKey, { [cliAuthKey]: 'false' }],
  ];
  if (telemetry['enabled'] !== true) return [];
  return overrides
    .filter(([name, key]) => {
      const value = telemetry[name];
      const harmless = [undefined, '', false, 'local', endpoint].includes(value as string);
      return !harmless && !(key in values);
    })
    .map(([name, , instead]) => ({
      what: `telemetry.${name}=${shownValue(name, telemetry[name])} in ${file}`,
      instead,
    }));
}

/** Gemini CLI reads one file only, the nearest. */
function hidden(io: Io, file: SettingsFile): Warning[] {
  const candidates = envFilesInOrder(io);
  const used = candidates.findIndex((path) => existsSync(path));
  const other = candidates[used];
  if (other === undefined || isSameFile(other, file.target)) return [];
  const ours = candidates.indexOf(file.path);
  const here = io.cwd ?? process.cwd();
  return ours >= 0 && ours < used
    ? [
        {
          what: `In ${here} Gemini CLI then reads ${file.path} and no longer ${other}.`,
          fix: 'What it needs of that file, such as a key, has to stand in the new one, too.',
        },
      ]
    : [
        {
          what: `In ${here} Gemini CLI reads ${other} and not ${file.path}.`,
          fix: `Connect that, too (tri-agent-ctl connect gemini --write --file ${other}), or export the variables in your shell's profile.`,
        },
      ];
}

function isSameFile(one: string, other: string): boolean {
  return existsSync(other) && realpathSync(one) === realpathSync(other);
}

/** What is exported wins over every file. */
function fromShell({ env }: Io, { required }: Wanted): Warning[] {
  const contrary = Object.entries(required).filter(
    ([key, value]) => env[key] !== undefined && env[key] !== value,
  );
  const others = [outfileKey].filter((key) => env[key]);
  return [...contrary.map(([key]) => key), ...others].map((key) => ({
    what: `${key}=${shownValue(key, env[key])} is set in this shell, and that wins over every file.`,
    fix: `Take it out of your shell's profile: unset ${key}`,
  }));
}
