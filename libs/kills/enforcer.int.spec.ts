import { hostname } from 'node:os';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { Clock } from '#platform/clock.js';
import { polite, runs, StartedProcesses, until } from '#platform/started-processes.spec-helper.js';
import { Enforcer } from './enforcer.js';
import { KillSwitch } from './kill-switch.js';
import type { LiveAgent, SessionFacts, Standing } from './ports.js';
import {
  runningWork,
  ScriptedAgents,
  ScriptedBudgets,
  ScriptedWork,
} from './scripted-work.spec-helper.js';

const started = new StartedProcesses();
let work: ScriptedWork;
let agents: ScriptedAgents;
let budgets: ScriptedBudgets;
let facts: Map<string, SessionFacts>;
let killSwitch: KillSwitch;
let enforcer: Enforcer;

beforeEach(async () => {
  [work, agents, budgets] = [new ScriptedWork(), new ScriptedAgents(), new ScriptedBudgets()];
  facts = new Map();
  const report = (sentence: string): void => {
    throw new Error(sentence);
  };
  killSwitch = new KillSwitch({ log: new MemoryLog(), clock: new Clock(), work, report });
  await killSwitch.start();
  const factsOf = (_: string, sessionId: string) => facts.get(sessionId);
  enforcer = new Enforcer({ budgets, work, agents, factsOf, kills: killSwitch, report });
  enforcer.start();
});
afterEach(async () => {
  await enforcer.stop();
  await killSwitch.stop();
  started.end();
});

const standing = (step: Standing['step'], scope = 'all', budgetId = 'pace'): Standing => ({
  ...{ budgetId, scope, step, reason: `The budget ${budgetId} is at ${step}.`, isKnown: true },
});
const ofTeam = (team: string): SessionFacts => ({
  ...{ team, project: null, userId: 'ann', taskId: null, models: ['m'] },
});
async function liveAgent(sessionId: string): Promise<LiveAgent & { runs: () => boolean }> {
  const [one] = await started.start(polite);
  const { pid, startMark } = one!;
  const live = { agent: 'claude-code', sessionId, host: hostname(), pid, startMark } as const;
  return { ...live, runs: () => runs(one!) };
}

describe('A trip', () => {
  test('shuts its scope before anything is ended', async () => {
    work.begin(runningWork('a'), runningWork('b'));
    budgets.stand(standing('trip'));
    await until(() => work.said.length >= 3);
    expect(work.said).toEqual(['trip all', 'kill task-a', 'kill task-b']);
  });

  test('ends what a person began, too, and nobody outside of its scope', async () => {
    const [core, other] = [await liveAgent('s-core'), await liveAgent('s-other')];
    facts.set('s-core', ofTeam('core')).set('s-other', ofTeam('other'));
    agents.live.push(core, other);
    work.begin(runningWork('a', { scopes: ['all', 'team:other'] }));
    budgets.stand(standing('trip', 'team:core'));
    await until(() => !core.runs());
    await until(() => [...killSwitch.known.values()].every((it) => it.outcome.is === 'confirmed'));
    expect(other.runs()).toBe(true);
    expect(work.said).toEqual(['trip team:core']);
  });

  test('meets whoever begins after it', async () => {
    budgets.stand(standing('trip'));
    await until(() => work.said.length === 1);
    const late = await liveAgent('late');
    agents.begin(late);
    work.begin(runningWork('late'));
    await until(() => !late.runs() && work.said.includes('kill task-late'));
    expect(late.runs()).toBe(false);
  });

  test('of a user finds the work by its session, of a task by its id', async () => {
    facts.set('s1', ofTeam('core'));
    work.begin(runningWork('a', { sessionId: 's1' }), runningWork('b'), runningWork('c'));
    budgets.stand(standing('trip', 'user:ann', 'u'), standing('trip', 'task:task-c', 't'));
    await until(() => work.said.length >= 2);
    expect(work.said.sort()).toEqual(['kill task-a', 'kill task-c']);
  });

  test('that is reset opens its scope and lets go on what it stopped', async () => {
    work.begin(runningWork('a'));
    budgets.stand(standing('trip'));
    await until(() => work.said.includes('kill task-a'));
    work.end({ attemptId: 'attempt-a', ended: 1, survivors: [] });
    budgets.stand(standing('open'));
    await until(() => work.said.includes('lift budget:pace'));
    expect(work.said.slice(2)).toEqual(['reset all', 'lift budget:pace']);
  });

  test('of two budgets of a scope keeps it shut until both are reset', async () => {
    budgets.stand(standing('trip', 'all', 'pace'), standing('trip', 'all', 'day'));
    await until(() => work.said.includes('trip all'));
    budgets.stand(standing('open', 'all', 'pace'), standing('trip', 'all', 'day'));
    budgets.stand(standing('open', 'all', 'pace'), standing('open', 'all', 'day'));
    await until(() => work.said.includes('reset all'));
    expect(work.said).toEqual(['trip all', 'reset all']);
  });
});

describe('A pause', () => {
  test('stops what runs, resumably, and lifts what it stopped when its budget eases', async () => {
    work.begin(runningWork('a'));
    budgets.stand(standing('pause'));
    await until(() => work.said.includes('pause task-a'));
    budgets.stand(standing('warn'));
    await until(() => work.said.includes('lift budget:pace'));
    expect(work.said).toEqual(['pause task-a', 'lift budget:pace']);
  });

  test('that becomes a trip kills what it was pausing', async () => {
    work.begin(runningWork('a'));
    budgets.stand(standing('pause'));
    await until(() => work.said.includes('pause task-a'));
    budgets.stand(standing('trip'));
    await until(() => work.said.includes('kill task-a'));
    expect(work.said).toEqual(['pause task-a', 'trip all', 'kill task-a']);
  });

  test('lifts nothing that an operator or another budget holds', async () => {
    work.held.add('budget:other');
    budgets.stand(standing('pause', 'all', 'other'));
    budgets.stand(standing('pause', 'all', 'other'), standing('open'));
    work.begin(runningWork('a'));
    await until(() => work.said.includes('pause task-a'));
    expect(work.said).toEqual(['pause task-a']);
  });
});

describe('While what was spent is not known', () => {
  const unknown: Standing = { ...standing('gate'), isKnown: false };

  test('what was paused stays so, and nobody else is', async () => {
    work.begin(runningWork('a'));
    budgets.stand(standing('pause'));
    await until(() => work.said.includes('pause task-a'));
    budgets.stand(unknown);
    work.begin(runningWork('b'));
    budgets.stand(unknown, standing('pause', 'task:task-b', 'b'));
    await until(() => work.said.includes('pause task-b'));
    expect(work.said).toEqual(['pause task-a', 'pause task-b']);
    expect(enforcer.stopReasonFor({ agent: 'codex', sessionId: 's' })).toBeNull();
  });

  test('a trip stands, also before the budgets themselves are known', async () => {
    budgets.stand(standing('trip'));
    await until(() => work.said.includes('trip all'));
    budgets.forget();
    budgets.stand({ ...standing('trip'), isKnown: false });
    work.begin(runningWork('a'));
    await until(() => work.said.includes('kill task-a'));
    expect(work.said).toEqual(['trip all', 'kill task-a']);
    expect(enforcer.stopReasonFor({ agent: 'codex', sessionId: 's' })).toContain('trip');
  });
});

describe("A person's agent asks before each step", () => {
  const session = { agent: 'claude-code', sessionId: 's1' } as const;

  test.each(['gate', 'pause', 'trip'] as const)(
    'and is stopped by a %s, with its reason',
    (step) => {
      budgets.stand(standing('warn', 'all', 'day'), standing(step));
      expect(enforcer.stopReasonFor(session)).toBe(`The budget pace is at ${step}.`);
    },
  );

  test('and goes on where a worker runs it, which is told when to stop', async () => {
    const live = await liveAgent('s1');
    work.begin(runningWork('a', { sessionId: 's1' }));
    agents.begin(live);
    budgets.stand(standing('trip'));
    await until(() => work.said.includes('kill task-a'));
    expect(enforcer.stopReasonFor(session)).toBeNull();
    expect([...killSwitch.known.values()].map(({ target }) => target.kind)).toEqual(['attempt']);
    expect(live.runs()).toBe(true);
  });

  test('and goes on under a warning, or where another scope is shut', () => {
    facts.set('s1', ofTeam('core'));
    budgets.stand(standing('warn'), standing('trip', 'team:other', 'o'));
    expect(enforcer.stopReasonFor(session)).toBeNull();
    budgets.stand(standing('gate', 'team:core', 'c'));
    expect(enforcer.stopReasonFor(session)).toBe('The budget c is at gate.');
  });
});
