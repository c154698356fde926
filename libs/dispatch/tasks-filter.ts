import { limits } from '#kernel/limits.js';
import type { Prepare } from '#platform/read-models.js';
import type { TasksQuery } from './task.shapes.js';

/** What tasks can be asked for by. Each has an index (`tasks-tables.ts`), a tag its own table. */
const filterNames = ['state', 'project', 'team', 'tag', 'lane', 'shard', 'agent'] as const;
export type FilterName = (typeof filterNames)[number];

export type TasksFilter = Pick<TasksQuery, FilterName>;

export function filtersOf(query: TasksFilter): FilterName[] {
  return filterNames.filter((name) => query[name] !== undefined);
}

/**
 * The filter that the fewest tasks meet: its index is walked, and the others are checked on each row.
 * SQLite, which knows nothing of how values are spread, would choose any.
 */
export function narrowestOf(
  given: readonly FilterName[],
  query: TasksFilter,
  prepare: Prepare,
): FilterName | undefined {
  if (given.length < 2) return given[0];
  const sizes = given.map((name) => {
    const table = name === 'tag' ? 'task_tags' : 'tasks';
    const sql = `SELECT count(*) AS tasks FROM (SELECT 1 FROM ${table} WHERE ${name} = ? LIMIT ${limits.tasksProbedMax})`;
    const tasks = prepare<[unknown], { tasks: bigint }>(sql).get(query[name])?.tasks ?? 0n;
    return { name, tasks };
  });
  return sizes.reduce((best, it) => (it.tasks < best.tasks ? it : best)).name;
}

/**
 * FROM and WHERE of the tasks that meet the filters and came before @before, as `task`, the newest
 * first. Every filter is bound by its name.
 */
export function tasksMeeting(
  given: readonly FilterName[],
  narrowest: FilterName | undefined,
): string {
  const conditions = given
    .filter((name) => name !== 'tag' || narrowest !== 'tag')
    .map((name) =>
      name === 'tag'
        ? 'EXISTS (SELECT 1 FROM task_tags WHERE tag = @tag AND id = task.id)'
        : `task.${name} = @${name}`,
    );
  if (narrowest === 'tag') {
    const where = ['tagged.tag = @tag', 'tagged.id < @before', ...conditions];
    return `FROM task_tags AS tagged CROSS JOIN tasks AS task ON task.id = tagged.id
      WHERE ${where.join(' AND ')} ORDER BY tagged.id DESC`;
  }
  const index = narrowest === undefined ? '' : `INDEXED BY tasks_by_${narrowest}`;
  const where = ['task.id < @before', ...conditions];
  return `FROM tasks AS task ${index} WHERE ${where.join(' AND ')} ORDER BY task.id DESC`;
}
