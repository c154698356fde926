import { hostname } from 'node:os';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { EventLog, LogError } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { RecordedEvent } from '#kernel/event.js';
import { Clock } from '#platform/clock.js';
import { API_DESCRIPTION, DocsController } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { clockAt } from '#platform/projection.specification.js';
import type { ProcessIdentity } from '#platform/processes.js';
import { Redactor } from '#platform/redaction.js';
import { AgentProcesses } from './agent-processes.js';
import { Gate, type Asking } from './gate.js';
import { hooks } from './index.js';

/** A gate that a test opens and shuts. */
class TestGate extends Gate {
  reason: string | null = null;
  readonly asked: Asking[] = [];
  stopReasonFor(asking: Asking): string | null {
    this.asked.push(asking);
    return this.reason;
  }
}

class FailingLog extends MemoryLog {
  unavailable = false;
  override append(...args: Parameters<MemoryLog['append']>): ReturnType<MemoryLog['append']> {
    if (this.unavailable) return Promise.reject(new LogError('LOG_UNAVAILABLE', 'It is full.'));
    return super.append(...args);
  }
}

/** The context behind a port of its own. */
export class HooksServer {
  readonly log = new FailingLog();
  readonly gate = new TestGate();
  readonly registry = new Registry();
  readonly processes = new AgentProcesses(this.log, (sentence) => {
    throw new Error(sentence);
  });
  private app: NestFastifyApplication | undefined;
  url = '';

  async start(): Promise<void> {
    this.app = await createHttpApp({
      controllers: [...hooks.controllers, DocsController],
      providers: [
        ...hooks.providers,
        { provide: EventLog, useValue: this.log },
        { provide: Gate, useValue: this.gate },
        { provide: AgentProcesses, useValue: this.processes },
        { provide: Redactor, useValue: new Redactor([]) },
        { provide: Registry, useValue: this.registry },
        { provide: Clock, useValue: clockAt('2026-11-20T12:00:00.000Z') },
        { provide: API_DESCRIPTION, useValue: { routes: hooks.routes, version: '0' } },
      ],
      guard: (_request, _reply, done) => {
        done();
      },
      logger: false,
    });
    await this.app.listen(0, '127.0.0.1');
    this.url = await this.app.getUrl();
    this.processes.start();
  }

  async stop(): Promise<void> {
    await this.processes.stop();
    await this.app?.close();
  }

  post(body: unknown, agent = 'claude-code', contentType = 'application/json'): Promise<Response> {
    return fetch(`${this.url}/api/v1/hooks/${agent}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** What the agent is answered. */
  async answer(body: unknown, agent = 'claude-code'): Promise<unknown> {
    const response = await this.post(body, agent);
    expect(response.status).toBe(200);
    return response.json();
  }

  async events(): Promise<RecordedEvent[]> {
    if ((await this.log.head()) === 0n) return [];
    const ending = new AbortController();
    for await (const batch of this.log.follow(0n, { signal: ending.signal })) return batch;
    return [];
  }

  /** Type and data of all that the log holds. */
  async facts(): Promise<[string, unknown][]> {
    return (await this.events()).map(({ type, data }) => [type, data]);
  }
}

/** As Claude Code sends it, with content that nobody here wants. */
export function hook(name: string, more: object = {}): object {
  return {
    session_id: 's1',
    transcript_path: '/home/dev/.claude/projects/-home-dev-shop/s1.jsonl',
    cwd: '/home/dev/shop',
    prompt_id: 'p1',
    permission_mode: 'default',
    hook_event_name: name,
    ...more,
  };
}

export function claimOf({ pid, startMark }: ProcessIdentity): object {
  return { host: hostname(), pid, startMark };
}
