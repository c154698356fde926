/** By what usage can be cut: times, and names. */
const times = ['minute', 'hour', 'day', 'week', 'month', 'block'] as const;
export const names = [
  'model',
  'provider',
  'agent',
  'session',
  'project',
  'team',
  'user',
  'task',
] as const;
export const cuts = [...times, ...names];

type TimeCut = (typeof times)[number];
export type NameCut = (typeof names)[number];
export type Cut = TimeCut | NameCut;

/** The words people expect; `models` is the comparison of models. */
const words: Readonly<Record<string, Cut | 'models'>> = {
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  blocks: 'block',
  models: 'models',
  providers: 'provider',
  agents: 'agent',
  sessions: 'session',
  projects: 'project',
  teams: 'team',
  users: 'user',
  tasks: 'task',
};
export const cutWords: readonly string[] = [...Object.keys(words), ...cuts];

export function cutOf(word: string): Cut | 'models' {
  return words[word] ?? cuts.find((cut) => cut === word) ?? 'day';
}

export function isTime(cut: Cut): cut is TimeCut {
  return times.some((time) => time === cut);
}
