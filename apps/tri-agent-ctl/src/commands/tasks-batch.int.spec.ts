import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { harmful, hostile } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed(async ({ server, home }) => {
  await mkdir(join(home, 'plan'));
  server.answers['/api/v1/tasks/batch'] = answer('task-1');
});

const answer = (...taskIds: string[]) => ({
  items: taskIds.map((taskId, at) => ({ key: at === 0 ? 'api' : null, taskId, created: at < 2 })),
});
const put = (name: string, content: string | Uint8Array) =>
  writeFile(join(stub.home, name), content);
const submit = (...argv: string[]) =>
  run(stub.env, ['tasks', 'submit', ...argv], { cwd: stub.home });
async function submitting(yaml: string, ...argv: string[]) {
  await put('plan/tasks.yaml', yaml);
  return submit('--file', 'plan/tasks.yaml', ...argv);
}

describe('tasks submit --file', () => {
  const plan = [
    'defaults: {agent: claude, repository: shop.git, retries: 1}',
    'tasks:',
    '  - key: api',
    '    prompt: |',
    '      Add paging.',
    '    budgetUsd: 1.10',
    '  - {promptFile: review.md, shard: review, dependsOn: [api, 01a1f9ee], repository: ~, directory: /d}',
    '  - {prompt: third, lane: background}',
  ].join('\n');

  test('submits all of its tasks at once, and lists which became which', async () => {
    await put('plan/review.md', '# Look twice\n');
    stub.server.answers['/api/v1/tasks/batch'] = answer('task-1', 'task-2', 'task-3');
    const { exit, out, err } = await submitting(plan);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(stub.server.requests).toEqual(['POST /api/v1/tasks/batch']);
    const defaults = { agent: 'claude-code', retries: 1 };
    expect(stub.server.posted).toEqual([
      {
        tasks: [
          {
            ...defaults,
            repository: 'shop.git',
            key: 'api',
            prompt: 'Add paging.\n',
            budgetUsd: '1.10',
          },
          {
            ...{ ...defaults, prompt: '# Look twice\n', shard: 'review', directory: '/d' },
            dependsOn: ['api', '01a1f9ee'],
          },
          { ...defaults, repository: 'shop.git', prompt: 'third', lane: 'background' },
        ],
      },
    ]);
    expect(out).toMatch(
      /LINE +KEY +TASK\n +3 +api +task-1\n +7 +– +task-2\n +8 +– +task-3 +known already\n/,
    );
    expect(out).toContain('2 tasks were submitted; 1 had been submitted already.\n');
  });

  test('prints the answer with --json', async () => {
    const { out } = await submitting('- prompt: a', '--json');
    expect(JSON.parse(out)).toEqual(answer('task-1'));
  });

  test('takes a file that is piped in, with the prompts of this folder', async () => {
    await put('p.md', 'here');
    const stdin = () => [Buffer.from('- promptFile: p.md')] as unknown as AsyncIterable<Uint8Array>;
    await run(stub.env, ['tasks', 'submit', '--file', '-'], { cwd: stub.home, stdin });
    expect(stub.server.posted).toEqual([{ tasks: [{ prompt: 'here' }] }]);
  });

  test('names every fault with its file and line, and submits nothing', async () => {
    const { exit, out, err } = await submitting('- promt: a\n- prompt: b\n  lane: urgent\n');
    expect({ exit, out, posted: stub.server.posted }).toEqual({ exit: 1, out: '', posted: [] });
    const lines = err.split('\n');
    expect(lines[0]).toMatch(/^plan\/tasks\.yaml:1: there is no field "promt" here; there are key/);
    expect(lines[1]).toBe('plan/tasks.yaml:3: lane must be one of critical, normal, background');
    expect(lines[3]).toContain('Nothing was submitted.');
    const { err: json } = await submitting('- promt: a\n- prompt: b\n  lane: urgent\n', '--json');
    const { error } = JSON.parse(json) as { error: { message: string } };
    expect(error.message).toMatch(/^plan\/tasks\.yaml:1: .* \(and 1 more\)$/);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['nothing', '', /tasks\.yaml:1: there is nothing in it/],
    ['broken YAML', '- {prompt: a\n', /tasks\.yaml:2: /],
    ['UTF-16', Buffer.from('\ufeff- prompt: a', 'utf16le'), /not valid for encoding utf-8/],
    ['1,001 tasks', '- prompt: a\n'.repeat(1_001), /1001 tasks are too many: 1000 go in at once/],
    ['more than 4 MiB', '#'.repeat(4 * 1024 * 1024 + 1), /it has more than 4194304 bytes/],
    [
      'a circle',
      '- {prompt: a, key: x, dependsOn: [x]}',
      /yaml:1: these wait for each other.* "x"/,
    ],
  ])('refuses a file of %s', async (_, content, reason) => {
    await put('plan/tasks.yaml', content);
    const { exit, out, err } = await submit('--file', 'plan/tasks.yaml');
    expect({ exit, out, posted: stub.server.posted }).toEqual({ exit: 1, out: '', posted: [] });
    expect(err).toMatch(reason);
  });

  test('says what is wrong with a file that is not there', async () => {
    const { exit, err } = await submit('--file', 'nowhere.yaml');
    expect(exit).toBe(1);
    expect(err).toMatch(/nowhere\.yaml cannot be read: ENOENT/);
  });

  test('refuses what is more than the server takes at once, before it is sent', async () => {
    await put('plan/long.md', 'a'.repeat(250_000));
    const { exit, err } = await submitting('- promptFile: long.md\n'.repeat(20));
    expect(exit).toBe(1);
    expect(err).toMatch(
      /come to 4\.8 MiB; the server takes 4\.0 MiB at once \(limits\.apiBodyBytesMax\)/,
    );
    expect(stub.server.posted).toEqual([]);
  });

  test('tells what the server refuses the whole batch for', async () => {
    const detail = 'These tasks wait for each other: a, b.';
    stub.server.refusals['/api/v1/tasks/batch'] = {
      status: 400,
      code: 'CYCLIC_DEPENDENCIES',
      detail,
    };
    const { exit, err } = await submitting('- prompt: a');
    expect(exit).toBe(1);
    expect(err).toContain(detail);
  });

  test.each([
    [['--file', 'x.yaml', '--lane', 'critical']],
    [['--file', 'x.yaml', 'a prompt']],
    [['--file', 'x.yaml', '--prompt-file', 'p']],
  ])('%j is not understood', async (argv) => {
    const { exit, err } = await submit(...argv);
    expect(exit).toBe(2);
    expect(err).toContain('everything that a task is stands in the file');
  });

  test('shows the form of the file with --help', async () => {
    const { exit, out } = await submit('--help');
    expect(exit).toBe(0);
    expect(out).toContain('dependsOn (keys of the file, or ids)');
  });
});

describe('A promptFile', () => {
  test.each([
    ['an absolute path', '/etc/hostname', /promptFile must be relative: name its folder/],
    ['a path that leads out', '../secret.md', /promptFile must stay in .*plan: name another/],
    ['a link that leads out', 'link.md', /promptFile must stay in/],
    ['a folder beside with the same beginning', '../plan-b/p.md', /promptFile must stay in/],
    ['a file that is not there', 'nowhere.md', /promptFile cannot be read: ENOENT/],
    ['a folder', '.', /promptFile must stay in/],
    ['an empty file', 'empty.md', /promptFile is empty/],
    ['a file that is too long', 'long.md', /promptFile has 262145 characters/],
    ['a name with a NUL', '"a\\0b"', /promptFile cannot be read/],
  ])('is refused, by its line, when it is %s', async (_, name, reason) => {
    await put('secret.md', 'secret');
    await mkdir(join(stub.home, 'plan-b'));
    await put('plan-b/p.md', 'p');
    await symlink('../secret.md', join(stub.home, 'plan/link.md'));
    await put('plan/empty.md', '\n');
    await put('plan/long.md', 'a'.repeat(262_145));
    const { exit, err } = await submitting(`- prompt: a\n- promptFile: ${name}\n`);
    expect({ exit, posted: stub.server.posted }).toEqual({ exit: 1, posted: [] });
    expect(err).toContain('plan/tasks.yaml:2: ');
    expect(err).toMatch(reason);
  });

  test('is looked for in the folder that the operator names', async () => {
    await mkdir(join(stub.home, 'prompts/deep'), { recursive: true });
    await put('prompts/deep/p.md', 'deep');
    await submitting('- promptFile: deep/p.md', '--prompts', 'prompts');
    expect(stub.server.posted).toEqual([{ tasks: [{ prompt: 'deep' }] }]);
  });

  test('may be used by many tasks', async () => {
    await put('plan/p.md', 'same');
    await submitting('defaults: {promptFile: p.md}\ntasks: [{directory: /a}, {directory: /b}]');
    expect(stub.server.posted).toEqual([
      {
        tasks: [
          { prompt: 'same', directory: '/a' },
          { prompt: 'same', directory: '/b' },
        ],
      },
    ]);
  });
});

test('Nothing of a file or an answer reaches the terminal as more than text', async () => {
  const quoted = JSON.stringify(hostile);
  stub.server.answers['/api/v1/tasks/batch'] = {
    items: [{ key: hostile, taskId: hostile, created: true }],
  };
  const told = await submitting(`- {prompt: ${quoted}, key: ${quoted}}`);
  expect(told.exit).toBe(0);
  expect(stub.server.posted).toEqual([{ tasks: [{ prompt: hostile, key: hostile }] }]);
  const faults = [
    `- {${quoted}: a}`,
    `- {prompt: a, lane: ${quoted}}`,
    `- {promptFile: ${quoted}}`,
    `- {prompt: a, key: ${quoted}}\n- {prompt: a, key: ${quoted}}`,
    `- {prompt: a, key: ${quoted}, dependsOn: [${quoted}]}`,
    `- prompt: !${hostile.replace(/\s/g, '')} a`,
  ];
  const refused = await Promise.all(
    faults.map(async (yaml, at) => {
      await put(`f${at}.yaml`, yaml);
      return submit('--file', `f${at}.yaml`);
    }),
  );
  expect(refused.map(({ exit }) => exit)).toEqual(faults.map(() => 1));
  for (const { out, err } of [told, ...refused]) expect(out + err).not.toMatch(harmful);
});
