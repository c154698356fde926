import { Option, type Command } from 'commander';
import { limits } from '#kernel/limits.js';
import type { RunWish } from '../commands/run-task.js';
import type { DiffWish } from '../commands/task-diff.js';
import type { LogsWish } from '../commands/task-output.js';
import type { Move } from '../commands/task-moves.js';
import type { BatchWish } from '../commands/tasks-batch.js';
import type { SubmitWish } from '../commands/tasks-submit.js';
import type { TasksWish } from '../commands/tasks.js';
import { attemptTime, cost, longText, several, shortText } from '../dispatch/options.js';
import { agentOf, agentWords, lanes, shards, sizes, states } from '../dispatch/words.js';
import type { LightRun } from '../light-run.js';
import { dollars, limitOption, wholeNumber } from '../options.js';
import { usageFailure } from '../output.js';

const fileHelp = `
A file of tasks is YAML: a list of tasks, or "tasks" and the "defaults" of all of them.

  defaults: {agent: claude, repository: https://git.example/shop.git, retries: 1}
  tasks:
    - key: api
      prompt: |
        Add paging to the orders API.
      tags: [orders]
    - {key: review, promptFile: review.md, shard: review, dependsOn: [api]}

A task has: key, prompt or promptFile, agent, model, shard, lane, size, directory or repository and
ref, dependsOn (keys of the file, or ids), team, project, tags, budgetUsd, maxCostUsd, timeoutMs,
retries, permissionMode, allowedTools, idempotencyKey. An empty value takes a default back. All tasks go in, or none:
${limits.tasksPerBatchMax} at most. A promptFile is relative and stays in the folder of the file, or in that of --prompts.`;

/** Queued work. What its commands need is loaded when one is used. */
export function addTasks(program: Command, run: LightRun): void {
  const tasks = program.command('tasks').description('queued work for agents');
  addSubmit(tasks, run);
  addViews(tasks, run);
  addLogs(tasks, run);
  addDiffs(tasks, run);
  addOpen(tasks, run);
  addMoves(tasks, run);
}

type SubmitOptions = SubmitWish & Partial<BatchWish>;

function addSubmit(tasks: Command, run: LightRun): void {
  tasks
    .command('submit')
    .description('queue a task, or with --file many')
    .argument('[prompt...]', 'what the agent is to do')
    .option('--prompt-file <file>', 'read the prompt from there; - is what is piped in')
    .option('--file <yaml>', 'submit the tasks of that file, all or none')
    .option('--prompts <folder>', 'where the prompts are that --file names; its folder without')
    .addOption(new Option('--agent <name>', 'who does it; any without').choices(agentWords))
    .option('--model <name>', "that model; the agent's choice without", shortText)
    .addOption(new Option('--shard <shard>', 'the kind of work; impl without').choices(shards))
    .addOption(new Option('--lane <lane>', 'the priority; normal without').choices(lanes))
    .addOption(new Option('--size <size>', 'how patient to be; medium without').choices(sizes))
    .addOption(
      new Option('--directory <path>', "a folder on the worker's host")
        .argParser(longText)
        .conflicts(['repository', 'ref']),
    )
    .option('--repository <url>', 'a git repository to check out', longText)
    .option('--ref <ref>', 'a branch, tag or commit of it', shortText)
    .option(
      '--depends-on <id>',
      'a task that must complete first (repeatable)',
      several(limits.dependenciesPerTaskMax),
    )
    .option('--team <name>', 'whose task it is', shortText)
    .option('--project <name>', 'of which project', shortText)
    .option('--tag <text>', 'a word to find it by (repeatable)', several(limits.tagsPerTaskMax))
    .option('--budget <usd>', 'what each attempt reserves of budgets, such as 1.50', dollars)
    .addOption(maxCostOption())
    .addOption(allowToolOption())
    .option('--timeout <time>', 'how long an attempt may take: 90s, 30m, 2h', attemptTime)
    .option(
      '--retries <count>',
      'how often it is tried again',
      wholeNumber(0, limits.attemptsPerTaskMax - 1),
    )
    .option('--permission-mode <mode>', "the agent's, as its command line names it", shortText)
    .option('--idempotency-key <key>', 'the same key again is the same task again', shortText)
    .addHelpText('after', fileHelp)
    .action(async (words: string[], wish: SubmitOptions) => {
      const { file, prompts, ...one } = wish;
      if (file === undefined) {
        if (prompts !== undefined) throw usageFailure('--prompts goes with --file.', hint);
        const { submitTask } = await import('../commands/tasks-submit.js');
        return submitTask(await run.asker(), run.output, words, one);
      }
      if (words.length > 0 || Object.keys(one).length > 0) {
        throw usageFailure('With --file, everything that a task is stands in the file.', hint);
      }
      const { submitBatch } = await import('../commands/tasks-batch.js');
      return submitBatch(await run.asker(), run.output, { file, ...(prompts && { prompts }) });
    });
}

const hint = 'See "tri-agent-ctl tasks submit --help".';

function addViews(tasks: Command, run: LightRun): void {
  tasks
    .command('list', { isDefault: true })
    .description('the tasks, the newest first')
    .addOption(new Option('--state <state>', 'only in that state').choices(states))
    .addOption(new Option('--lane <lane>', 'only of that lane').choices(lanes))
    .addOption(new Option('--shard <shard>', 'only of that shard').choices(shards))
    .addOption(new Option('--agent <name>', 'only for that agent').choices(agentWords))
    .option('--team <name>', 'only of that team', shortText)
    .option('--project <name>', 'only of that project', shortText)
    .option('--tag <text>', 'only with that tag', shortText)
    .addOption(limitOption(limits.pageItemsDefault))
    .action(async (wish: TasksWish & Pick<SubmitWish, 'agent'>) => {
      const { listTasks } = await import('../commands/tasks.js');
      const { agent, ...others } = wish;
      const asked = agent === undefined ? others : { ...others, agent: agentOf(agent) };
      return listTasks(await run.asker(), run.output, asked);
    });
  tasks
    .command('show')
    .description('all that is known of a task, and its attempts')
    .argument('<id>', 'its id', shortText)
    .action(async (id: string) => {
      const { showTask } = await import('../commands/tasks.js');
      return showTask(await run.asker(), run.output, id);
    });
  tasks
    .command('why')
    .description('what came of what, and what the task waits for now')
    .argument('<id>', 'its id', shortText)
    .action(async (id: string) => {
      const { tellWhy } = await import('../commands/tasks-why.js');
      return tellWhy(await run.asker(), run.output, id);
    });
}

function addLogs(tasks: Command, run: LightRun): void {
  tasks
    .command('logs')
    .description('what the agent of a task printed')
    .argument('<id>', 'its id', shortText)
    .option('-f, --follow', 'go on as more comes, until the attempt has ended')
    .option('--attempt <id>', 'of that attempt; the newest without', shortText)
    .action(async (id: string, wish: LogsWish) => {
      const { showLogs } = await import('../commands/task-output.js');
      return showLogs(await run.asker(), run.output, id, wish);
    });
}

function addDiffs(tasks: Command, run: LightRun): void {
  tasks
    .command('diff')
    .description('what a task changed in its repository')
    .argument('<id>', 'its id', shortText)
    .option('--attempt <id>', 'of that attempt; the newest without', shortText)
    .action(async (id: string, wish: DiffWish) => {
      const { showDiff } = await import('../commands/task-diff.js');
      return showDiff(await run.asker(), run.output, id, wish);
    });
  tasks
    .command('apply')
    .description('bring what a task changed into a checkout, staged')
    .argument('<id>', 'its id', shortText)
    .option('--attempt <id>', 'of that attempt; the newest without', shortText)
    .option('--cwd <folder>', 'the checkout; this folder without', longText)
    .action(async (id: string, wish: DiffWish & { readonly cwd?: string }) => {
      const { applyDiff } = await import('../commands/task-diff.js');
      return applyDiff(await run.asker(), run.output, id, wish);
    });
}

function addOpen(tasks: Command, run: LightRun): void {
  tasks
    .command('open')
    .description('where the work of a task is; on a terminal, its folder in $VISUAL or $EDITOR')
    .argument('<id>', 'its id', shortText)
    .action(async (id: string) => {
      const { openTask } = await import('../commands/task-open.js');
      const { findServer } = await import('../server.js');
      const { home } = findServer(run.io).loaded.config;
      return openTask(await run.asker(), run.output, id, home);
    });
}

function maxCostOption(): Option {
  return new Option('--max-cost <usd>', 'what the task may cost in all, such as 2.50').argParser(
    cost,
  );
}

function allowToolOption(): Option {
  const flag = '--allow-tool <tool>';
  const what = 'what its agent may use without asking, such as Edit (repeatable)';
  return new Option(flag, what).argParser(several(limits.agentToolsAllowedMax));
}

/** The shortest way from a prompt to what came of it. */
export function addRun(program: Command, run: LightRun): void {
  program
    .command('run')
    .description('have an agent do something here and now, and show what came of it')
    .argument('<prompt...>', 'what it is to do')
    .addOption(new Option('--agent <name>', 'who does it; any without').choices(agentWords))
    .option('--model <name>', "that model; the agent's choice without", shortText)
    .option('--cwd <folder>', 'where it works; this folder without', longText)
    .option('--permission-mode <mode>', "the agent's, as its command line names it", shortText)
    .addOption(maxCostOption())
    .addOption(allowToolOption())
    .option('--timeout <time>', 'how long it may take: 90s, 30m, 2h', attemptTime)
    .action(async (words: string[], wish: RunWish) => {
      const { runTask } = await import('../commands/run-task.js');
      run.exit = await runTask(await run.asker(), run.output, words, wish);
    });
}

function addMoves(tasks: Command, run: LightRun): void {
  const moveOf = async (id: string, move: Move, wish: object): Promise<void> => {
    const { moveTask } = await import('../commands/task-moves.js');
    return moveTask(await run.asker(), run.output, id, move, wish);
  };
  const command = (name: Move, description: string): Command =>
    tasks.command(name).description(description).argument('<id>', 'its id', shortText);

  command('cancel', 'take a task back, and with it what depends on it')
    .option('--reason <text>', 'why', longText)
    .action((id: string, wish: object) => moveOf(id, 'cancel', wish));
  command('park', 'put a task among the dead letters')
    .option('--reason <text>', 'why', longText)
    .action((id: string, wish: object) => moveOf(id, 'park', wish));
  command('pause', 'stop a task so that it can be carried on')
    .option('--reason <text>', 'why', longText)
    .option('--kill', 'at once, not at the next pause in its work')
    .action((id: string, wish: object) => moveOf(id, 'pause', wish));
  command('resume', 'have a paused task carried on, in the same conversation')
    .option('--reason <text>', 'why', longText)
    .action((id: string, wish: object) => moveOf(id, 'resume', wish));
  command('retry', 'run a delayed, paused or cancelled task now, from its beginning').action(
    (id: string) => moveOf(id, 'retry', {}),
  );
  command('priority', 'put a task into another lane')
    .addArgument(tasks.createArgument('<lane>', 'which').choices(lanes))
    .action((id: string, lane: string) => moveOf(id, 'priority', { lane }));
  command('adopt', 'take the result of an attempt that came too late')
    .argument('<attempt>', 'the id of that attempt; "tasks show" names it', shortText)
    .action((id: string, attemptId: string) => moveOf(id, 'adopt', { attemptId }));
}
