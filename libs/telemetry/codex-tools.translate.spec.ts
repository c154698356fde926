import { limits } from '#kernel/limits.js';
import { only } from './translation.spec-helper.js';
import { log, logs, sessionId } from './codex.spec-helper.js';

describe("Codex's tools", () => {
  const call = { tool_name: 'exec_command', call_id: 'exec-1' };

  test.each([
    ['approved', 'accept'],
    ['approved_for_session', 'accept'],
    ['denied', 'reject'],
    ['abort', 'reject'],
    ['timed_out', 'reject'],
  ])('are decided on: %s is %s', (said, decision) => {
    const { event } = only(
      logs(log('tool_decision', { ...call, decision: said, source: 'Config' })),
    );
    expect(event).toMatchObject({
      type: 'ToolDecided',
      data: { decision, decidedBy: 'Config', toolUseId: 'exec-1', toolName: 'exec_command' },
    });
  });

  test('finish with sizes; what they were given and gave is content', () => {
    const { event, content } = only(
      logs(
        log('tool_result', {
          ...call,
          success: 'true',
          duration_ms: '66',
          arguments: '{"cmd":"ls"}',
          output: 'é',
          output_truncated: false,
        }),
      ),
    );
    expect(event.data).toEqual({
      agent: 'codex',
      sessionId,
      toolUseId: 'exec-1',
      toolName: 'exec_command',
      succeeded: true,
      inputBytes: 12,
      resultBytes: 2,
      durationMs: 66,
    });
    expect(content).toBe('arguments: {"cmd":"ls"}\n\noutput: é');
    expect(JSON.stringify(event)).not.toContain('"ls"');
  });

  test('whose output was cut have a result of unknown size', () => {
    const { event } = only(
      logs(log('tool_result', { ...call, success: 'true', output: 'x', output_truncated: true })),
    );
    expect(event.data).toMatchObject({ resultBytes: null });
  });

  test('that a script called count once; the script counts only when it failed', () => {
    const script = { tool_name: 'exec', call_id: 'call_1' };
    const result = logs(
      log('tool_result', { ...call, success: 'true' }),
      log('tool_result', { ...script, success: 'true' }),
    );
    expect(only(result).event.data).toMatchObject({ toolName: 'exec_command' });
    expect(result.noise).toEqual(new Map([['tool_result/wrapper', 1]]));
    const failed = only(logs(log('tool_result', { ...script, success: 'false' })));
    expect(failed.event.data).toMatchObject({ toolName: 'exec', succeeded: false });
  });

  test('that fail before they have a call are known by their event', () => {
    const { event } = only(logs(log('tool_result', { tool_name: 'shell', success: 'false' })));
    expect(event.data).toMatchObject({ toolUseId: event.id });
  });

  test.each([
    ['tool_decision', { ...call, decision: 'maybe' }],
    ['tool_decision', { decision: 'approved' }],
    ['tool_result', { ...call, success: 'perhaps' }],
    ['tool_result', { tool_name: 'x'.repeat(limits.identifierCharactersMax + 1), success: 'true' }],
  ])('are rejected when %s says %j', (name, values) => {
    expect(logs(log(name, values)).rejected).toBe(1);
  });
});
