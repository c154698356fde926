import type { AgentRunner, Invocation, Refusal, RunOptions, Task } from './agent.js';
import { GeminiReader } from './gemini-reader.translate.js';
import { encodedAttributes, environmentFor, headersOf, unusable } from './invocation.translate.js';
import { permissionOf, type Modes } from './permissions.translate.js';

/** Gemini CLI, headless, which it is where its standard input is no terminal; it reads the prompt there. */
export const gemini: AgentRunner = {
  id: 'gemini',
  title: 'Gemini CLI',
  program: { name: 'gemini', variable: 'TRI_AGENT_GEMINI_BIN' },
  invocation,
  reader: (isResumed) => new GeminiReader(isResumed),
};

const modes: Modes = { usual: 'default', others: ['plan', 'auto_edit'], skipAll: 'yolo' };

const vendor = /^(?:GEMINI|GOOGLE)_\w+$/;

function invocation(task: Task, options: RunOptions): Invocation | Refusal {
  const refusal = unusable(task);
  if (refusal !== undefined) return refusal;
  const permission = permissionOf(gemini.title, modes, task, options);
  if (permission.is === 'refused') return permission;
  const { model, allowedTools, resumedSessionId, prompt } = task;
  return {
    is: 'run',
    args: [
      '--output-format=stream-json',
      // It does not work headless in a folder that it was not told to trust.
      '--skip-trust',
      resumedSessionId === null
        ? `--session-id=${options.newSessionId}`
        : `--resume=${resumedSessionId}`,
      ...(model === null ? [] : [`--model=${model}`]),
      ...(permission.is === 'skip-all'
        ? permission.consent.unlock('--approval-mode=yolo')
        : [`--approval-mode=${permission.mode}`]),
      ...allowedTools.map((tool) => `--allowed-tools=${tool}`),
    ],
    env: environmentFor(task, options, vendor, {
      // Its launcher would start it anew, and ignore being told to stop.
      GEMINI_CLI_NO_RELAUNCH: 'true',
      ...telemetryOf(task, options),
    }),
    stdin: prompt.toWellFormed(),
  };
}

/** In the environment, which wins over its settings; it rewrites those. */
function telemetryOf(task: Task, { telemetry }: RunOptions): Record<string, string> {
  if (telemetry === null) return {};
  return {
    GEMINI_TELEMETRY_ENABLED: 'true',
    GEMINI_TELEMETRY_TARGET: 'local',
    GEMINI_TELEMETRY_OTLP_ENDPOINT: telemetry.endpoint,
    GEMINI_TELEMETRY_OTLP_PROTOCOL: 'http',
    GEMINI_TELEMETRY_LOG_PROMPTS: 'false',
    GEMINI_TELEMETRY_TRACES_ENABLED: 'false',
    // Otherwise everything would go into that file, or wait for a login.
    GEMINI_TELEMETRY_OUTFILE: '',
    GEMINI_TELEMETRY_USE_CLI_AUTH: 'false',
    OTEL_RESOURCE_ATTRIBUTES: encodedAttributes(task),
    ...headersOf(telemetry),
  };
}
