import { join } from 'node:path';
import type { EventLog } from '#eventstore/src/log.js';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import type { Context } from '#platform/context.js';
import type { Redactor } from '#platform/redaction.js';
import { DesktopNotices } from './desktop.js';
import { NoticesController, noticesRoutes } from './notices.controller.js';
import { NoticesQueries } from './notices.queries.js';
import { Notifier } from './notifier.reactor.js';
import { retryTimes } from './retry.policy.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhookSender } from './webhook-sender.js';
import { WebhooksController, webhooksRoutes } from './webhooks.controller.js';
import { Webhooks } from './webhooks.js';

/** Who is told of what happens. The API needs providers of Webhooks and ReadModels. */
export const notify: Context = {
  controllers: [WebhooksController, NoticesController],
  providers: [NoticesQueries],
  routes: [...webhooksRoutes, ...noticesRoutes],
};

interface Home {
  readonly home: string;
  readonly log: EventLog;
  readonly clock: Clock;
}

/** Webhooks for the role api. */
export function makeWebhooks({ home, ...parts }: Home & { readonly redactor: Redactor }): Webhooks {
  // Whoever waits for the outcome of a test has less patience than a notice.
  const sender = new WebhookSender(undefined, limits.webhookTestMs);
  return new Webhooks({ ...parts, secrets: secretsIn(home), sender });
}

export interface NotifierOptions extends Home {
  /** Whether warnings are shown on the desktop of this environment, where there is one. */
  readonly desktop: Readonly<Record<string, string | undefined>> | undefined;
  readonly report: (sentence: string) => void;
}

/** The one that tells, for the role watchdog; not yet started. */
export async function makeNotifier({
  home,
  desktop,
  ...parts
}: NotifierOptions): Promise<Notifier> {
  const shown =
    desktop === undefined
      ? undefined
      : await DesktopNotices.find(desktop, process.platform, parts.clock);
  return new Notifier({
    ...parts,
    secrets: secretsIn(home),
    sender: new WebhookSender(),
    times: retryTimes,
    desktop: shown,
    lockFile: join(home, 'notifier.lock'),
  });
}

function secretsIn(home: string): WebhookSecrets {
  return new WebhookSecrets(join(home, 'webhook-secrets'));
}
