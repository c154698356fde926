import { harmful, hostile } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed();

const silent = {
  ...{ agent: 'claude-code', sessionId: 's-1', taskId: 't-1', model: 'claude-x' },
  ...{ team: null, project: null, since: '2026-11-20T11:59:20.000Z', silentMs: 40_000 },
  ...{ usdPerMinute: '0.120000000', estimatedUsd: '0.080000000' },
};
const loop = {
  ...{ agent: 'codex', sessionId: 's-2', taskId: null, what: 'request', name: 'gpt-x', times: 5 },
  ...{ since: '2026-11-20T11:40:00.000Z', detectedAt: '2026-11-20T11:50:00.000Z' },
  error: 'overloaded',
};
const answer = (given: object = {}) => ({
  ...{ silentAfterMs: 15_000, silentSessions: 1, estimatedUsd: '0.080000000' },
  ...{ silent: [silent], loops: [loop], ...given },
});

describe('watch', () => {
  test('shows who is silent, at which estimate, and who runs in circles', async () => {
    stub.server.answers['/api/v1/watch'] = answer();
    const { exit, out } = await run(stub.env, ['watch']);
    expect(exit).toBe(0);
    const said = out.replace(/ +/g, ' ');
    expect(said).toContain('silent 1 (nothing heard for 15s while a model works), about $0.0800');
    expect(said).toContain('s-1 claude-code claude-x t-1 40s $0.1200 $0.0800');
    expect(said).toContain('5 requests failed gpt-x codex s-2 – 10m overloaded');
  });

  test('says so where nothing is noticed, and marks a pace that nobody knows', async () => {
    const nothing = { silentSessions: 0, silent: [], loops: [] };
    stub.server.answers['/api/v1/watch'] = answer(nothing);
    expect((await run(stub.env, ['watch'])).out).toBe(
      'silent  none (nothing heard for 15s while a model works)\nloops   none in the last hour\n',
    );
    const unknown = { ...silent, usdPerMinute: null, estimatedUsd: null };
    stub.server.answers['/api/v1/watch'] = answer({ silent: [unknown], silentSessions: 501 });
    const { out } = await run(stub.env, ['watch']);
    expect(out).toMatch(/40s +\? +\?/);
    expect(out).toContain('silent  501 (');
    expect(out).toContain('the first 1 below');
  });

  test('prints what the server said as JSON', async () => {
    stub.server.answers['/api/v1/watch'] = answer();
    const { out } = await run(stub.env, ['watch', '--json']);
    expect(JSON.parse(out)).toEqual(answer());
  });

  test('lets no agent write to the terminal', async () => {
    const evil = { sessionId: hostile, model: hostile, taskId: hostile };
    const evilLoop = { ...loop, ...evil, name: hostile, error: hostile, what: hostile };
    stub.server.answers['/api/v1/watch'] = answer({
      ...{ silent: [{ ...silent, ...evil }], loops: [evilLoop], estimatedUsd: hostile },
    });
    const { exit, out, err } = await run(stub.env, ['watch']);
    expect(exit).toBe(0);
    expect(`${out}${err}`).not.toMatch(harmful);
  });
});
