import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import { optionsWith, refusalOf, run, started, taskWith } from '../../test/runs.js';
import type { AgentRunner, Exit, News, Outcome } from './agent.js';
import { SkipConsent } from './permissions.translate.js';
import { runners } from './runners.js';

const skipAll: Readonly<Record<AgentRunner['id'], readonly [mode: string, option: string]>> = {
  'claude-code': ['bypassPermissions', '--dangerously-skip-permissions'],
  codex: ['danger-full-access', '--dangerously-bypass-approvals-and-sandbox'],
  gemini: ['yolo', '--approval-mode=yolo'],
};

describe.each(runners)('$title and permissions', (runner) => {
  const [mode, option] = skipAll[runner.id];
  const isSkipping = (args: readonly string[]) => args.join(' ').includes(option);

  test.each([
    ['neither asks nor agrees', null, false],
    ['only the worker agrees', null, true],
  ])('are not skipped when %s', (_who, permissionMode, maySkipPermissions) => {
    const { args } = started(runner, { permissionMode }, { maySkipPermissions });
    expect(isSkipping(args)).toBe(false);
  });

  test('are not skipped when only the task asks: it is refused', () => {
    expect(refusalOf(runner, { permissionMode: mode }, { maySkipPermissions: false })).toBe(
      `This task asks ${runner.title} to skip all permissions (${mode}), and this worker was not started with leave to do so.`,
    );
  });

  test('are skipped when both want it, and nothing else is said of them', () => {
    const both = started(runner, { permissionMode: mode }, { maySkipPermissions: true });
    expect(both.args.filter((arg) => /permission|sandbox|approv/.test(arg))).toEqual([option]);
  });

  test.each(['bypassPermissions', 'danger-full-access', 'yolo'])(
    'are skipped in the word %s of whichever agent, for a task that any may do',
    (permissionMode) => {
      const { args } = started(runner, { permissionMode }, { maySkipPermissions: true });
      expect(isSkipping(args)).toBe(true);
      expect(refusalOf(runner, { permissionMode })).toMatch(/was not started with leave/);
    },
  );

  test('take the word of another agent for its own', () => {
    const inWords = (permissionMode: string | null) => started(runner, { permissionMode }).args;
    expect(inWords('default')).toEqual(inWords(null));
    expect(inWords('plan')).toEqual(inWords('read-only'));
    expect(inWords('acceptEdits')).toEqual(inWords('workspace-write'));
    expect(inWords('auto_edit')).toEqual(inWords('workspace-write'));
  });

  test('have no other mode', () => {
    expect(refusalOf(runner, { permissionMode: '--yolo' })).toMatch(
      new RegExp(
        `^${runner.title} has no such permission mode as this task asks for; it has .+\\.$`,
      ),
    );
  });

  test('are skipped only with a consent that nobody can make up', () => {
    // @ts-expect-error Only what knows both, the task and the worker, can make one.
    const forge = (): unknown => new SkipConsent(true);
    expect(forge).toBeInstanceOf(Function);
    expect(SkipConsent.of(true, optionsWith())).toBeUndefined();
    expect(SkipConsent.of(false, optionsWith({ maySkipPermissions: true }))).toBeUndefined();
  });
});

const secret = 'only-the-worker-may-know-this';
const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
const names = fc.constantFrom(
  ...['TRI_AGENT_TOKEN', 'TRI_AGENT_WORKER_TOKEN', 'TRI_AGENT_URL', 'tri_agent_token', 'MY_KEY'],
  ...['AWS_SECRET_ACCESS_KEY', 'GITHUB_TOKEN', 'NODE_OPTIONS', 'OTEL_EXPORTER_OTLP_HEADERS'],
);
const secrets = fc.dictionary(names, fc.constant(secret));
const anyTask = fc.record({
  taskId: anyText,
  attemptId: anyText,
  prompt: anyText,
  model: fc.option(anyText),
  team: fc.option(anyText),
  project: fc.option(anyText),
  permissionMode: fc.option(fc.oneof(anyText, fc.constantFrom('plan', 'default', 'yolo'))),
  allowedTools: fc.oneof(fc.constant<string[]>([]), fc.array(anyText, { maxLength: 3 })),
  resumedSessionId: fc.option(fc.oneof(anyText, fc.uuid())),
  maxCostUsd: fc.option(fc.constant('1.500000000')),
});

describe.each(runners)('Whatever the task, $title', (runner) => {
  test("is told nothing that is the worker's alone", () => {
    fc.assert(
      fc.property(anyTask, secrets, fc.array(names), (task, environment, named) => {
        const passedVariables = named.filter((name) => /^tri_agent/i.test(name));
        const options = optionsWith({ environment, passedVariables });
        expect(JSON.stringify(runner.invocation(task, options))).not.toContain(secret);
      }),
    );
  });

  test('is given nothing that a process cannot be started with, and options that are its own', () => {
    const telemetry = { endpoint: 'http://127.0.0.1:4318', token: 'for telemetry' };
    fc.assert(
      fc.property(anyTask, (task) => {
        const invocation = runner.invocation(task, optionsWith({ telemetry }));
        if (invocation.is === 'refused') return;
        const { args, env, stdin } = invocation;
        expect([...args, ...Object.values(env)].join('')).not.toContain('\0');
        expect(args.join(' ')).not.toMatch(/dangerously|yolo/);
        expect(args.join(' ')).not.toContain('for telemetry');
        expect(stdin).toBe(task.prompt.toWellFormed());
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(runners)('What concerns any program is handed on to $title', (runner) => {
  test('and so is what was named, but never what opens the server', () => {
    const environment = {
      HOME: '/home/dev',
      PATH: '/usr/bin',
      LC_ALL: 'C.UTF-8',
      https_proxy: 'http://127.0.0.1:3128',
      NO_PROXY: '127.0.0.1',
      MY_KEY: 'theirs',
      TRI_AGENT_TOKEN: secret,
      SSH_AUTH_SOCK: '/tmp/agent',
      OTEL_RESOURCE_ATTRIBUTES: 'task.id=another',
      UNSET: undefined,
    };
    const passedVariables = ['MY_KEY', 'TRI_AGENT_TOKEN', 'UNSET'];
    const { env } = started(runner, {}, { environment, passedVariables });
    expect(Object.keys(env).filter((name) => name !== 'GEMINI_CLI_NO_RELAUNCH')).toEqual([
      ...['HOME', 'PATH', 'LC_ALL', 'https_proxy', 'NO_PROXY', 'MY_KEY'],
      ...['TRI_AGENT_TASK_ID', 'TRI_AGENT_ATTEMPT_ID'],
    ]);
  });
});

/** Keys and values that the agents use, those of every object, and anything else. */
const word = fc.constantFrom(
  ...['type', 'subtype', 'system', 'init', 'assistant', 'user', 'result', 'api_retry', 'success'],
  ...['message', 'content', 'tool_use', 'text', 'name', 'input', 'TodoWrite', 'todos', 'is_error'],
  ...['session_id', 'thread_id', 'thread.started', 'turn.completed', 'turn.failed', 'usage'],
  ...['item', 'item.completed', 'item.started', 'todo_list', 'file_change', 'changes', 'items'],
  ...['error', 'errors', 'stats', 'status', 'total_tokens', 'input_tokens', 'modelUsage'],
  ...['model_usage_since_last_result', 'permission_denials', 'num_turns', 'total_cost_usd'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prompt_submit_outcome', 'kind'],
);
const { value: anyJson } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(word, fc.string({ unit: 'binary' }), fc.double(), fc.maxSafeNat(), fc.boolean()),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(word, tie('value')), { maxLength: 6 })
      .map((members) => Object.fromEntries(members) as unknown),
  ),
}));
const typed = fc.constantFrom(
  ...['system', 'assistant', 'user', 'result', 'tool_progress', 'init', 'message', 'tool_use'],
  ...['thread.started', 'turn.completed', 'turn.failed', 'error', 'item.completed', 'item.started'],
);
const line = fc.oneof(
  anyJson.map((value) => JSON.stringify(value)),
  fc.tuple(typed, fc.array(fc.tuple(word, anyJson), { maxLength: 8 })).map(
    ([type, members]) =>
      // Written by hand, so that `__proto__` is a name like any other.
      `{"type":${JSON.stringify(type)}${members
        .map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`)
        .join('')}}`,
  ),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    '{',
    '{"type":"result"',
    'null',
    '[[[',
    '\u001b[2J',
    '{"type":'.repeat(5_000),
  ),
);
const exit: fc.Arbitrary<Exit> = fc.record({
  exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
  signal: fc.option(fc.constantFrom('SIGTERM', 'SIGKILL')),
  stderrTail: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('code: 404\n', 'status: 429'),
  ),
});

/** What the server would take. */
function isSound(outcome: Outcome): boolean {
  if (outcome.is === 'completed') {
    const figures = Object.values(outcome.tokens ?? {}).concat(outcome.costNanoUsd);
    return (
      outcome.result.length <= limits.promptCharactersMax &&
      outcome.result.isWellFormed() &&
      figures.every((figure) => figure === null || (Number.isSafeInteger(figure) && figure >= 0))
    );
  }
  const { error, statusCode = 500, retryAfterMs = 0 } = outcome;
  return (
    error.length <= limits.noteCharactersMax &&
    error.isWellFormed() &&
    /^(?:Claude Code|Codex CLI|Gemini CLI) [^\n]+[.!?…]$/.test(error) &&
    statusCode >= 100 &&
    statusCode <= 599 &&
    Number.isSafeInteger(retryAfterMs) &&
    retryAfterMs >= 0
  );
}

function isClipped(one: News): boolean {
  if (one.is === 'progress') return one.what.length <= limits.lineCharactersMax;
  return one.is !== 'text' || one.text.length <= limits.noteCharactersMax;
}

describe.each(runners)('Whatever $title prints', (runner) => {
  test('it comes to an outcome that the server takes, and nothing throws', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        exit,
        fc.boolean(),
        (lines, end, isResumed) => {
          const { news, outcome } = run(runner, lines, end, isResumed);
          expect(isSound(outcome)).toBe(true);
          expect(news.filter((one) => !isClipped(one))).toEqual([]);
          if (outcome.is === 'completed') expect(end.exitCode).toBe(0);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('a line as long as one may be is told in short', () => {
    const long = 'x'.repeat(limits.agentLineCharactersMax);
    const [news] = runner.reader(false).line(long, true);
    expect(news).toMatchObject({ is: 'progress' });
    expect(news !== undefined && isClipped(news)).toBe(true);
  });

  test('is no success where it printed nothing', () => {
    expect(run(runner, []).outcome).toMatchObject({ is: 'failed', retryable: true });
    expect(runner.invocation(taskWith(), optionsWith())).toMatchObject({ is: 'run' });
  });
});
