import { Body, Controller, HttpCode, Injectable, Post } from '@nestjs/common';
import { Clock as Now } from '#platform/clock.js';
import type { ApiRoute } from '#platform/openapi.js';
import type { Context } from '#platform/context.js';
import { Appender } from './appender.js';
import { Clock } from './attributes.translate.js';
import {
  describedImportBody,
  fact,
  importAnswer,
  importBody,
  type ImportAnswer,
  type ImportBody,
} from './imports.shapes.js';
import { draftOfFact } from './imports.translate.js';
import type { Draft } from './translation.js';

/** Takes in what agents have left on disk, as the command line reads it. */
@Injectable()
class Imports {
  constructor(
    private readonly appender: Appender,
    private readonly clock: Now,
  ) {}

  /**
   * Each fact by itself: one that is no fact costs the others nothing.
   *
   * @throws {LogError} when the log cannot write now; all of it may be sent again.
   */
  async accept(facts: readonly unknown[]): Promise<ImportAnswer> {
    const clock = new Clock(new Date(this.clock.now()).toISOString());
    const drafts: Draft[] = [];
    const rejected: { index: number; reason: string }[] = [];
    const indexes = new Map<string, number>();
    for (const [index, one] of facts.entries()) {
      const draft = draftOf(one, clock);
      if (typeof draft === 'string') rejected.push({ index, reason: draft });
      else {
        drafts.push(draft);
        indexes.set(draft.event.id, index);
      }
    }
    const { appended, refused } = await this.appender.append(drafts);
    for (const { id, reason } of refused) rejected.push({ index: indexes.get(id) ?? -1, reason });
    // Without the notices that the price book's gaps leave: those are no facts of the sender.
    const own = appended.filter(({ id }) => indexes.has(id));
    const duplicates = own.filter(({ duplicate }) => duplicate).length;
    return { appended: own.length - duplicates, duplicates, rejected };
  }
}

function draftOf(one: unknown, clock: Clock): Draft | string {
  const parsed = fact.safeParse(one);
  if (parsed.success) return draftOfFact(parsed.data, clock);
  const issue = parsed.error.issues[0];
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
}

@Controller('api/v1/imports')
class ImportsController {
  constructor(private readonly imports: Imports) {}

  @Post()
  @HttpCode(200)
  take(@Body({ schema: importBody }) { facts }: ImportBody): Promise<ImportAnswer> {
    return this.imports.accept(facts);
  }
}

const importsRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/imports',
    summary: 'Takes in usage that agents have left on disk; the same twice changes nothing.',
    body: describedImportBody,
    answer: { type: 'application/json', schema: importAnswer },
    problems: ['BODY_TOO_LARGE', 'MEDIA_TYPE_NOT_SUPPORTED', 'LOG_UNAVAILABLE'],
  },
];

/** Usage from transcripts. The API needs providers of Appender and Clock. */
export const imports: Context = {
  controllers: [ImportsController],
  providers: [Imports],
  routes: importsRoutes,
};
