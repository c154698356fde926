import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { AccessToken } from '#libs/access/access-token.js';
import { LivePrices } from '#libs/prices/live-prices.js';
import { Clock } from '#platform/clock.js';
import type { Appender } from '#libs/telemetry/appender.js';
import { makeAppender } from '#libs/telemetry/index.js';
import type { Config } from '#platform/config.js';
import { Redactor } from '#platform/redaction.js';
import { readOrMakeToken } from '#platform/token-file.js';
import { StartError } from './start-error.js';

const ownerOnly = 0o700;

/** What all roles of a process share. */
export interface House {
  readonly config: Config;
  readonly token: AccessToken;
  /** Opens what is for agents' hooks, and nothing else. */
  readonly hooksToken: AccessToken;
  readonly log: SqliteLog;
  /** Started by whoever serves a role that needs it. */
  readonly prices: LivePrices;
  /** The one way of what agents tell into the log. */
  readonly appender: Appender;
  /** For what goes into the log, or beside it. */
  readonly redactor: Redactor;
  readonly registry: Registry;
  /** Ends the process in order; for what no role can go on after. */
  readonly fail: (error: unknown) => void;
}

/** A role at work. */
export interface RunningRole {
  stop(): Promise<void>;
}

/**
 * Makes the data folder where there is none, reads the tokens and opens the log.
 *
 * @throws {StartError | ConfigError | LogError} each with a sentence on what to do
 */
export function openHouse(config: Config, fail: (error: unknown) => void): House {
  try {
    mkdirSync(config.home, { recursive: true, mode: ownerOnly });
  } catch (error) {
    throw new StartError(
      `${config.home} cannot be used as the data folder (${(error as Error).message}). ` +
        'Choose another with TRI_AGENT_HOME.',
    );
  }
  const log = SqliteLog.open(join(config.home, 'events.db'));
  const token = new AccessToken(config.token ?? readOrMakeToken(config.home, 'token'));
  const hooksToken = new AccessToken(readOrMakeToken(config.home, 'hooks-token'));
  const prices = new LivePrices(log, new Clock(), (sentence) => {
    console.error(sentence);
  });
  const registry = new Registry();
  const redactor = new Redactor(config.redact);
  const appender = makeAppender({
    config,
    log,
    redactor,
    registry,
    costOf: (usage) => prices.costOf(usage),
  });
  return { config, token, hooksToken, log, prices, appender, redactor, registry, fail };
}
