import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { EventLog } from '#eventstore/src/log.js';
import type { Config } from '#platform/config.js';
import { Appender } from './appender.js';
import { claudeCode } from './claude-code.translate.js';
import { codex } from './codex.translate.js';
import type { CostOf } from './costing.js';
import { ContentStore } from '#platform/content-store.js';
import { gemini } from './gemini.translate.js';
import { Intake } from './intake.js';
import type { Redactor } from '#platform/redaction.js';
import { redactDraft } from './redacted-draft.js';

/** One translator for each agent whose telemetry is understood. */
const translators = [claudeCode, codex, gemini];

/** What redacts, costs and appends all that agents tell; with content where it is on. */
export function makeAppender(parts: {
  readonly config: Config;
  readonly log: EventLog;
  readonly redactor: Redactor;
  readonly registry: Registry;
  readonly costOf: CostOf;
}): Appender {
  const { config, log, redactor, registry, costOf } = parts;
  return new Appender({
    log,
    redact: redactDraft(redactor),
    content: config.content === 'on' ? new ContentStore(join(config.home, 'content')) : null,
    costOf,
    registry,
  });
}

/** From decoded exports to events: every agent's translator. */
export function makeIntake(appender: Appender, registry: Registry): Intake {
  return new Intake({ appender, translators, registry, clock: () => new Date() });
}
