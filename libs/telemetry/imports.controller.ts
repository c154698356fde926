import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import type { ApiRoute } from '#platform/openapi.js';
import type { Context } from '#platform/context.js';
import { Imports } from './imports.js';
import {
  describedImportBody,
  importAnswer,
  importBody,
  type ImportAnswer,
  type ImportBody,
} from './imports.shapes.js';

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

/** Usage from transcripts. The API needs providers of Appender, EventLog and Clock. */
export const imports: Context = {
  controllers: [ImportsController],
  providers: [Imports],
  routes: importsRoutes,
};
