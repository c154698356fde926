import type { Context } from '#platform/context.js';
import { AttemptsController, attemptsRoutes } from './attempts.controller.js';
import { ClaimAnswers } from './claim-answers.js';
import { ClaimTaskHandler } from './claim-task.js';
import { ControlController, controlRoutes } from './control.controller.js';
import { MoveAttemptHandler } from './move-attempt.js';
import { OutputController, outputRoutes } from './output.controller.js';
import { QueueController, queueRoutes } from './queue.controller.js';
import { RegisterWorkerHandler } from './register-worker.js';
import { SubmitTasksHandler } from './submit-tasks.js';
import { TaskViews } from './task-views.js';
import { TasksController, tasksRoutes } from './tasks.controller.js';
import { TasksQueries } from './tasks.queries.js';
import { WorkersController, workersRoutes } from './workers.controller.js';

/**
 * Queued work and who does it. The API needs providers of Dispatcher, Allowances, OutputStore, ContentStore, Redactor,
 * ReadModels, EventLog and Clock.
 */
export const dispatch: Context = {
  controllers: [
    TasksController,
    WorkersController,
    AttemptsController,
    ControlController,
    OutputController,
    QueueController,
  ],
  providers: [
    SubmitTasksHandler,
    ClaimTaskHandler,
    MoveAttemptHandler,
    RegisterWorkerHandler,
    ClaimAnswers,
    TaskViews,
    TasksQueries,
  ],
  routes: [
    ...tasksRoutes,
    ...workersRoutes,
    ...attemptsRoutes,
    ...controlRoutes,
    ...outputRoutes,
    ...queueRoutes,
  ],
};
