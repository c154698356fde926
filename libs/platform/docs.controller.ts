import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Controller, Get, Header, Inject, NotFoundException, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { openApiDocument, type ApiRoute } from './openapi.js';

/** Injection token: the routes to describe, and the version of the program. */
export const API_DESCRIPTION = Symbol('what the API offers');
export interface ApiDescription {
  readonly routes: readonly ApiRoute[];
  readonly version: string;
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>tri-agent API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<div id="ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</html>
`;
const start = `SwaggerUIBundle({ url: '/api/docs-json', dom_id: '#ui', deepLinking: true });\n`;

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The only files of the package that are served. */
const assets = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
]);

/** The API's document and a page to read it with. Nothing of it is in memory until it is asked for. */
@Controller('api')
export class DocsController {
  constructor(@Inject(API_DESCRIPTION) private readonly description: ApiDescription) {}

  @Get('docs-json')
  document(): object {
    return openApiDocument(this.description.routes, this.description.version);
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', policy)
  page(): string {
    return page;
  }

  @Get('docs/start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  start(): string {
    return start;
  }

  @Get('docs/:asset')
  async asset(@Param('asset') name: string, @Res() reply: FastifyReply): Promise<void> {
    const type = assets.get(name);
    if (type === undefined) throw new NotFoundException();
    const file = createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);
    await reply.type(type).send(await readFile(file));
  }
}
