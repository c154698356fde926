import { aTask, taskId } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed();
const path = `/api/v1/tasks/${taskId}`;

describe('A task that is halted', () => {
  test('while it runs is paused in a moment', async () => {
    stub.server.answers[`${path}/pause`] = aTask({ state: 'running' });
    const { out } = await run(stub.env, ['tasks', 'pause', taskId]);
    expect(out).toContain('Its agent is being ended; then it is paused.');
    stub.server.answers[`${path}/pause`] = aTask({ state: 'paused' });
    const after = await run(stub.env, ['tasks', 'pause', taskId]);
    expect(after.out).toContain(`\nHave it carried on: tri-agent-ctl tasks resume ${taskId}\n`);
  });

  test('tells who keeps it so, and what it will carry on', async () => {
    const halt = { how: 'pause', reason: 'the day is over', holder: 'budget:day' };
    const conversation = { sessionId: 's-1', host: 'den/impl', attemptId: 'a', agent: 'codex' };
    const paused = { state: 'paused', reason: 'the day is over', halt, conversation };
    stub.server.answers[path] = aTask({
      ...paused,
      maxCostUsd: '2.500000000',
      allowedTools: ['Edit'],
    });
    const { out } = await run(stub.env, ['tasks', 'show', taskId]);
    expect(out).toMatch(/reason +the day is over\n/);
    expect(out).toMatch(/halt +by budget:day\n/);
    expect(out).toMatch(/carries on +session s-1, on host den\/impl\n/);
    expect(out).toMatch(/may cost +\$2.5000 in all\n/);
    expect(out).toMatch(/tools +Edit\n/);
    stub.server.answers[path] = aTask({ state: 'running', halt: { ...halt, holder: null } });
    const running = await run(stub.env, ['tasks', 'show', taskId]);
    expect(running.out).toMatch(/halt +ordered by an operator \(pause\): the day is over\n/);
  });
});
