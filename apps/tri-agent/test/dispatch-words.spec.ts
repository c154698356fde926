import { lane, scope, shard, size } from '#eventstore/vocabulary/dispatch.events.js';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { batchBody, taskBody } from '#libs/dispatch/submission.shapes.js';
import { tasksQuery } from '#libs/dispatch/task.shapes.js';
import { readTaskFile } from '../../tri-agent-ctl/src/dispatch/task-file.js';
import { taskFields } from '../../tri-agent-ctl/src/dispatch/task-fields.js';
import * as words from '../../tri-agent-ctl/src/dispatch/words.js';

/** The command line knows the words of dispatch by itself: it imports nothing of the server. */
describe('The words of dispatch are the same on the command line and in the server', () => {
  test('for lanes, shards and sizes', () => {
    expect(words.lanes).toEqual(lane.options);
    expect(words.shards).toEqual(shard.options);
    expect(words.sizes).toEqual(size.options);
  });

  test('for agents', () => {
    const known = new Set(words.agentWords.map((word) => words.agentOf(word)));
    expect(known).toEqual(new Set([...agentName.options, 'any']));
  });

  test('for what a task can be', () => {
    for (const state of words.states) {
      expect(tasksQuery.safeParse({ state })).toMatchObject({ success: true });
    }
    const { error } = tasksQuery.safeParse({ state: 'unheard of' });
    expect(error?.issues[0]).toMatchObject({ values: words.states });
  });

  test.each([
    ...words.scopeKinds.map((kind) => `${kind}:name`),
    ...['all', 'team:a:b', 'team:', 'all:', 'colour:red', '', 'provider:x', 'tag:x', 'task:x'],
    ...[`team:${'a'.repeat(203)}`, `team:${'a'.repeat(204)}`],
  ])('for the scope %j', (text) => {
    expect(words.isScope(text)).toBe(scope.safeParse(text).success);
  });

  test('for the fields of a task, but for the file of its prompt', () => {
    const fields = Object.keys(taskFields).filter((name) => name !== 'promptFile');
    expect(fields.sort()).toEqual([...Object.keys(taskBody.shape), 'key'].sort());
  });

  test('so that the server takes whatever a file may say', () => {
    const text = `- {prompt: p, key: ${'k'.repeat(200)}, agent: claude, model: m, lane: critical,
      shard: review, size: large, repository: r, ref: f, dependsOn: [x], team: t,
      project: p, tags: [${Array<string>(20).fill('x').join(',')}], budgetUsd: 9007199.25474,
      timeoutMs: 86400000, retries: 9, permissionMode: plan, idempotencyKey: i, maxCostUsd: 10000,
      allowedTools: [Edit, Bash(git status)]}
- {prompt: ${'p'.repeat(262_144)}, directory: ${'d'.repeat(500)}, timeoutMs: 1000, retries: 0}`;
    const { tasks, faults } = readTaskFile(text);
    expect(faults).toEqual([]);
    expect(tasks).toHaveLength(2);
    expect(batchBody.safeParse({ tasks: tasks.map(({ said }) => said) }).error).toBeUndefined();
  });
});
