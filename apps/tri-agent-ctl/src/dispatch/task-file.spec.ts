import fc from 'fast-check';
import { stringify } from 'yaml';
import { readTaskFile } from './task-file.js';

const tasksOf = (text: string) => {
  const { tasks, faults } = readTaskFile(text);
  expect(faults).toEqual([]);
  return tasks;
};
const faultsOf = (text: string): string[] =>
  readTaskFile(text).faults.map(({ line, reason }) => `${line}: ${reason}`);

describe('A file of tasks', () => {
  test('is a list of them, in their order and with their lines', () => {
    expect(tasksOf('# tonight\n- prompt: one\n- {prompt: two, key: b, dependsOn: [a]}\n')).toEqual([
      { line: 2, said: { prompt: 'one' } },
      { line: 3, said: { prompt: 'two', key: 'b', dependsOn: ['a'] } },
    ]);
  });

  test('takes prompts of many lines just as they are', () => {
    expect(tasksOf('- prompt: |\n    Add paging.\n\n      Indented.\n')[0]?.said.prompt).toBe(
      'Add paging.\n\n  Indented.\n',
    );
  });

  test('takes numbers as they are written where text or money is meant', () => {
    const text = '- {prompt: 7, key: 1.10, budgetUsd: 0.000000100, dependsOn: [2]}';
    const said = { prompt: '7', key: '1.10', budgetUsd: '0.000000100', dependsOn: ['2'] };
    expect(tasksOf(text)).toEqual([{ line: 1, said }]);
    expect(tasksOf('- {prompt: a, budgetUsd: "2"}')[0]?.said.budgetUsd).toBe('2');
  });

  test('calls Claude Code by either name', () => {
    const names = tasksOf('[{prompt: a, agent: claude}, {prompt: b, agent: claude-code}]');
    expect(names.map(({ said }) => said.agent)).toEqual(['claude-code', 'claude-code']);
  });

  test.each([
    ['is empty', '', '1: there is nothing in it'],
    ['holds a text', 'hello', '1: it must be a list of tasks'],
    ['has no list of tasks', 'defaults: {lane: normal}', '1: "tasks" must be a list'],
    ['has no tasks', 'tasks: []', '1: there are no tasks in it'],
    ['has an unknown part', 'task: []\ntasks: [{prompt: a}]', '1: there is no field "task" here'],
    ['has a task that is text', '- hello', '1: a task must have fields'],
    ['has two documents', '- prompt: a\n---\n- prompt: b\n', '2: Source contains multiple'],
    ['is indented wrongly', '- prompt: a\n   lane: critical\n', '1: Nested mappings'],
    ['has an open bracket', '- {prompt: a\n', '2: '],
    ['has a tab', '- prompt: a\n\tlane: normal', '2: '],
    ['has a tag of its own', '- prompt: !!js/function a\n', '1: Unresolved tag'],
  ])('is refused when it %s, with the line', (_, text, fault) => {
    expect(faultsOf(text)[0]).toContain(fault);
  });
});

describe('A task of the file', () => {
  test.each([
    ['lane: urgent', 'lane must be one of critical, normal, background'],
    ['shard: test', 'shard must be one of impl, review, architect'],
    ['size: 3', 'size must be one of small, medium, large'],
    ['agent: cursor', 'agent must be one of claude, claude-code, codex, gemini, any'],
    ['promt: a', 'there is no field "promt" here; there are key, prompt, promptFile'],
    ['"a\\u001b[2Jb": a', 'there is no field "ab" here'],
    ['? [a]\n  : b', 'there is no field without a name here'],
    ['budgetUsd: 1,50', 'budgetUsd must be US dollars'],
    ['budgetUsd: -1', 'budgetUsd must be US dollars'],
    ['budgetUsd: .inf', 'budgetUsd must be US dollars'],
    ['budgetUsd: 0.0000000001', 'budgetUsd must be US dollars'],
    ['timeoutMs: 30m', 'timeoutMs must be a whole number from 1000 to 86400000'],
    ['timeoutMs: 999', 'timeoutMs must be a whole number'],
    ['retries: 1.5', 'retries must be a whole number from 0 to 9'],
    ['team: true', 'team must be text: put it in quotation marks'],
    ['team: ""', 'team must not be empty'],
    ['team: {name: a}', 'team must be text'],
    ['tags: orders', 'tags must be a list'],
    ['tags: [[a]]', 'tags must be text'],
    ['dependsOn: [null]', 'dependsOn must be text'],
    [`team: ${'a'.repeat(201)}`, 'team has 201 characters, and 200 are the limit'],
    [`tags: [${'a,'.repeat(21)}]`, 'tags has more than 20 items'],
    ['ref: "\\ud800"', 'ref must be whole characters'],
    ['directory: /a\n  repository: b', 'give either a directory or a repository'],
    ['ref: main', 'a ref is of a repository'],
    ['promptFile: a.md', 'give either a prompt or a promptFile'],
  ])('may not say %j', (field, fault) => {
    const faults = faultsOf(`- prompt: first\n- prompt: second\n  ${field}\n`);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^[23]: /);
    expect(faults[0]).toContain(fault);
  });

  test('needs a prompt', () => {
    expect(faultsOf('- prompt: a\n- key: b\n- prompt:\n- {prompt: " "}\n')).toEqual([
      '2: it has neither a prompt nor a promptFile',
      '3: it has neither a prompt nor a promptFile',
      '4: prompt must not be empty',
    ]);
  });

  test('says a field once, and has a key of its own', () => {
    expect(faultsOf('- {prompt: a, key: x}\n- {prompt: b, prompt: c, key: x}\n')).toEqual([
      '2: prompt is said twice',
      '2: the key "x" is that of line 1',
    ]);
  });

  test('may have a prompt of 262144 characters, and not one more', () => {
    expect(faultsOf(`- prompt: ${'a'.repeat(262_144)}`)).toEqual([]);
    expect(faultsOf(`- prompt: ${'a'.repeat(262_145)}`)).toEqual([
      '1: prompt has 262145 characters, and 262144 are the limit',
    ]);
  });
});

describe('Tasks that wait for each other', () => {
  const waiting = (...edges: [key: string, dependsOn: string][]) =>
    edges.map(([key, on]) => `- {prompt: p, key: ${key}, dependsOn: [${on}]}\n`).join('');

  test('are refused by their keys, and with them those that wait for them', () => {
    const text = waiting(['z', ''], ['a', 'z, c'], ['b', 'a'], ['c', 'b'], ['d', 'c']);
    expect(faultsOf(text)).toEqual([
      '2: these wait for each other, or for others that do: "a", "b", "c", "d"',
    ]);
    expect(faultsOf(waiting(['a', 'a']))).toEqual([expect.stringContaining('"a"')]);
  });

  test('may do so in any order as long as there is an end, and for tasks of other files', () => {
    const text = waiting(['a', 'b, c'], ['b', 'c'], ['c', '01a1f9ee']);
    expect(tasksOf(text)).toHaveLength(3);
  });
});

describe('Defaults', () => {
  const file = (defaults: string, ...tasks: string[]) =>
    `defaults: {${defaults}}\ntasks:\n${tasks.map((task) => `  - {${task}}\n`).join('')}`;
  const saidIn = (...given: Parameters<typeof file>) =>
    tasksOf(file(...given)).map(({ said }) => said);

  test('hold for every task that does not say otherwise; an empty value takes one back', () => {
    expect(
      saidIn('lane: critical, team: web', 'prompt: a', 'prompt: b, team: ~, lane: normal'),
    ).toEqual([
      { lane: 'critical', team: 'web', prompt: 'a' },
      { lane: 'normal', prompt: 'b' },
    ]);
  });

  test('give way to what cannot stand beside them', () => {
    expect(
      saidIn(
        'promptFile: a.md, repository: r, ref: main',
        'prompt: a',
        'directory: /d',
        'ref: dev',
      ),
    ).toEqual([
      { prompt: 'a', repository: 'r', ref: 'main' },
      { promptFile: 'a.md', directory: '/d' },
      { promptFile: 'a.md', repository: 'r', ref: 'dev' },
    ]);
  });

  test('cannot be what only one task can be', () => {
    expect(faultsOf(file('key: a, idempotencyKey: b', 'prompt: a'))).toEqual([
      expect.stringContaining('1: there is no field "key" here'),
      expect.stringContaining('1: there is no field "idempotencyKey" here'),
    ]);
  });
});

describe('A hostile file', () => {
  test('does not grow by aliases: there are none', () => {
    const bomb = [
      'a: &a [x,x]',
      ...'bcdefghij'
        .split('')
        .map((it, at) => `${it}: &${it} [*${'abcdefghi'[at] ?? ''},*${'abcdefghi'[at] ?? ''}]`),
    ];
    expect(faultsOf(`${bomb.join('\n')}\ntasks: [{prompt: a}]`)).toHaveLength(10);
    expect(faultsOf('- &a {prompt: a}\n- *a\n')).toEqual([
      expect.stringContaining('2: aliases are not taken'),
    ]);
    expect(faultsOf('- {prompt: &p a}\n- {prompt: *p }\n')[0]).toContain('2: prompt is an alias');
  });

  test.each([
    ['nested without end', '['.repeat(20_000)],
    [
      'of ten thousand fields',
      `tasks:\n  - prompt: a\n${Array.from({ length: 10_000 }, (_, at) => `    f${at}: 1\n`).join('')}`,
    ],
    ['of ten thousand tasks', '- {prompt: a}\n'.repeat(10_000)],
  ])('%s is refused in few words', (_, text) => {
    const faults = faultsOf(text);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.length).toBeLessThanOrEqual(20);
  });

  test('is read or refused, and never breaks anything', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '- ',
        'prompt: ',
        '{',
        '}',
        '[',
        ']',
        '\n',
        '  ',
        '|',
        '&a ',
        '*a',
        '!!',
        ': ',
        '#',
        '"',
        'tasks:',
      ),
      fc.string({ maxLength: 5, unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { tasks, faults } = readTaskFile(pieces.join(''));
        expect(tasks.length > 0 || faults.length > 0).toBe(true);
      }),
    );
  });

  test('that says tasks soundly comes to those tasks, whatever their prompts are', () => {
    const prompt = fc.string({ unit: 'grapheme', minLength: 1 }).filter((it) => it.trim() !== '');
    const task = fc.record({ prompt, lane: fc.constantFrom('critical', 'normal') });
    fc.assert(
      fc.property(fc.array(task, { minLength: 1, maxLength: 5 }), (given) => {
        expect(tasksOf(stringify(given)).map(({ said }) => said)).toEqual(given);
      }),
    );
  });
});
