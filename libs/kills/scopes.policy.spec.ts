import { isOfDispatch, isWithin } from './scopes.policy.js';

const session = { agent: 'codex', sessionId: 's1' } as const;
const facts = { team: 'core', project: 'p:1', userId: 'u', taskId: 't', models: ['gpt-5.6-sol'] };

test.each(['all', 'agent:codex', 'session:s1', 'team:core', 'project:p:1', 'user:u', 'task:t'])(
  'A session is within %s',
  (scope) => {
    expect(isWithin(scope, session, facts)).toBe(true);
  },
);

test.each(['agent:gemini', 'session:s2', 'team:Core', 'project:p', 'user:', 'model:gpt', 'lane:x'])(
  'It is not within %s',
  (scope) => {
    expect(isWithin(scope, session, facts)).toBe(false);
  },
);

test('Of a session that nothing is known of yet, only its agent and id are', () => {
  expect(isWithin('model:gpt-5.6-sol', session, facts)).toBe(true);
  expect(isWithin('model:gpt-5.6-sol', session, undefined)).toBe(false);
  expect(isWithin('agent:codex', session, undefined)).toBe(true);
  expect(isWithin('all', session, undefined)).toBe(true);
});

test('Dispatch knows some scopes by itself', () => {
  const known = ['all', 'team:a', 'project:a', 'agent:codex', 'model:m'];
  expect(known.every(isOfDispatch)).toBe(true);
  expect(['user:a', 'task:a', 'session:a', 'allx'].some(isOfDispatch)).toBe(false);
});
