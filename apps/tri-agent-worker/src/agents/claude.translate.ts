import type { AgentRunner, Invocation, Refusal, RunOptions, Task } from './agent.js';
import { ClaudeReader } from './claude-reader.translate.js';
import { encodedAttributes, environmentFor, headersOf, unusable } from './invocation.translate.js';
import { permissionOf, type Modes } from './permissions.translate.js';

/** Claude Code, headless. It reads the prompt from its standard input, which has no length limit. */
export const claude: AgentRunner = {
  id: 'claude-code',
  title: 'Claude Code',
  program: { name: 'claude', variable: 'TRI_AGENT_CLAUDE_BIN' },
  invocation,
  reader: (isResumed) => new ClaudeReader(isResumed),
};

const modes: Modes = {
  usual: 'default',
  others: ['manual', 'plan', 'acceptEdits', 'auto', 'dontAsk'],
  skipAll: 'bypassPermissions',
};

/** Its own settings, those of its vendor, and that it runs in a sandbox, without which root may not skip permissions. */
const vendor = /^(?:ANTHROPIC_\w+|CLAUDE_\w+|DISABLE_\w+|IS_SANDBOX)$/;

function invocation(task: Task, options: RunOptions): Invocation | Refusal {
  const refusal = unusable(task);
  if (refusal !== undefined) return refusal;
  const permission = permissionOf(claude.title, modes, task, options);
  if (permission.is === 'refused') return permission;
  const { model, allowedTools, resumedSessionId, prompt, maxCostUsd } = task;
  return {
    is: 'run',
    args: [
      '--print',
      '--output-format=stream-json',
      // Without it there is no stream.
      '--verbose',
      // A session of which the id is known before; `--continue` would make one that is forgotten.
      resumedSessionId === null
        ? `--session-id=${options.newSessionId}`
        : `--resume=${resumedSessionId}`,
      ...(model === null ? [] : [`--model=${model}`]),
      // It looks after each answer, so that it goes over by one.
      ...(maxCostUsd === null ? [] : [`--max-budget-usd=${maxCostUsd}`]),
      ...(permission.is === 'skip-all'
        ? permission.consent.unlock('--dangerously-skip-permissions')
        : [`--permission-mode=${permission.mode}`]),
      ...(allowedTools.length === 0 ? [] : [`--allowedTools=${allowedTools.join(',')}`]),
    ],
    env: environmentFor(task, options, vendor, telemetryOf(task, options)),
    stdin: prompt.toWellFormed(),
  };
}

function telemetryOf(task: Task, { telemetry }: RunOptions): Record<string, string> {
  if (telemetry === null) return {};
  return {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.endpoint,
    OTEL_LOGS_EXPORT_INTERVAL: '1000',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
    OTEL_RESOURCE_ATTRIBUTES: encodedAttributes(task),
    ...headersOf(telemetry),
  };
}
