import { isRefusal } from '#kernel/refusal.js';
import type { ReadModels } from '#platform/read-models.js';
import { sessionsProjection } from './sessions.projection.js';
import { usageProjection } from './usage.projection.js';

/** Whom a session works for, and with which models, as far as it was told. */
export interface SessionFacts {
  readonly team: string | null;
  readonly project: string | null;
  readonly userId: string | null;
  readonly taskId: string | null;
  readonly models: readonly string[];
}

const facts = `SELECT team, project, user_id AS userId, task_id AS taskId FROM sessions
  WHERE agent = ? AND session_id = ?`;
const models = 'SELECT DISTINCT model FROM usage_keys WHERE agent = ? AND session_id = ?';

export class SessionFactsQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** Undefined where it is not known, or cannot be known at this moment. */
  of(agent: string, sessionId: string): SessionFacts | undefined {
    try {
      return this.readModels.read([sessionsProjection, usageProjection], (prepare) => {
        const told = prepare<[string, string], Omit<SessionFacts, 'models'>>(facts).get(
          agent,
          sessionId,
        );
        if (told === undefined) return undefined;
        const used = prepare<[string, string], { model: string }>(models).all(agent, sessionId);
        return { ...told, models: used.map(({ model }) => model) };
      });
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }
}
