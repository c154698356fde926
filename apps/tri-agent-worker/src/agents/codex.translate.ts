import type {
  AgentRunner,
  Invocation,
  Refusal,
  RunOptions,
  Task,
  TelemetryTarget,
} from './agent.js';
import { CodexReader } from './codex-reader.translate.js';
import { environmentFor, headersOf, plainAttributes, unusable } from './invocation.translate.js';
import { permissionOf, refused, type Modes } from './permissions.translate.js';

/**
 * Codex CLI, headless. It reads the prompt from its standard input, where `-` stands for it. It names its
 * sessions itself.
 */
export const codex: AgentRunner = {
  id: 'codex',
  title: 'Codex CLI',
  program: { name: 'codex', variable: 'TRI_AGENT_CODEX_BIN' },
  invocation,
  reader: (isResumed) => new CodexReader(isResumed),
};

/** Its sandboxes: there is nobody to approve of anything, so that only they say what it may do. */
const modes: Modes = {
  usual: 'read-only',
  others: ['workspace-write'],
  skipAll: 'danger-full-access',
};

const vendor = /^(?:OPENAI|CODEX)_\w+$/;

function invocation(task: Task, options: RunOptions): Invocation | Refusal {
  const refusal = unusable(task);
  if (refusal !== undefined) return refusal;
  const permission = permissionOf(codex.title, modes, task, options);
  if (permission.is === 'refused') return permission;
  const { model, allowedTools, resumedSessionId, prompt } = task;
  if (allowedTools.length > 0) {
    return refused(
      'Codex CLI has no list of allowed tools; its permission mode says what it may do.',
    );
  }
  return {
    is: 'run',
    args: [
      'exec',
      ...(resumedSessionId === null ? [] : ['resume']),
      '--json',
      '--skip-git-repo-check',
      ...(model === null ? [] : [`--model=${model}`]),
      ...(permission.is === 'skip-all'
        ? permission.consent.unlock('--dangerously-bypass-approvals-and-sandbox')
        : // Not `--sandbox`, which a resumed session does not take.
          settings({ sandbox_mode: toml(permission.mode), approval_policy: toml('never') })),
      ...telemetryOf(options.telemetry),
      '--',
      ...(resumedSessionId === null ? [] : [resumedSessionId]),
      '-',
    ],
    env: environmentFor(task, options, vendor, variablesOf(task, options)),
    stdin: prompt.toWellFormed(),
  };
}

/** It takes where to report to from its settings only. Unset, metrics go to the vendor. */
function telemetryOf(telemetry: TelemetryTarget | null): string[] {
  if (telemetry === null) return [];
  const to = (path: string): string => {
    const endpoint = `${telemetry.endpoint.replace(/\/+$/, '')}/v1/${path}`;
    return `{otlp-http={endpoint=${toml(endpoint)},protocol="binary"}}`;
  };
  return settings({
    'otel.exporter': to('logs'),
    'otel.metrics_exporter': to('metrics'),
    // A turn's traces are 200 KB and say nothing that its logs do not.
    'otel.trace_exporter': toml('none'),
  });
}

function variablesOf(task: Task, { telemetry }: RunOptions): Record<string, string> {
  if (telemetry === null) return {};
  return { OTEL_RESOURCE_ATTRIBUTES: plainAttributes(task), ...headersOf(telemetry) };
}

function settings(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

/** A string as TOML writes it, which is as JSON does but for one character. */
function toml(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}
