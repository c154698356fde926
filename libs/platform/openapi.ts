import { z } from 'zod';
import { problemKinds, type ProblemCode } from './problem.js';

/** What one route takes and gives: the source of the API's document. */
export interface ApiRoute {
  /** `get` unless it says otherwise. */
  readonly method?: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Of the answer; 200 unless it says otherwise. */
  readonly status?: 200 | 201 | 202 | 204;
  /** Left out where there is nothing to answer. */
  readonly answer?: { readonly type: string; readonly schema: z.ZodType };
  /** Codes of the problems that it may answer with, besides those that every route has. */
  readonly problems: readonly ProblemCode[];
}

const everywhere: readonly ProblemCode[] = [
  'BAD_REQUEST',
  'TOKEN_MISSING',
  'TOKEN_WRONG',
  'HOST_NOT_ALLOWED',
  'ORIGIN_NOT_ALLOWED',
  'TOO_MANY_WRONG_TOKENS',
  'INTERNAL',
];

const problemShape = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  instance: z.string(),
});

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly ApiRoute[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method ?? 'get']: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'tri-agent', version },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: schemaOf(problemShape, 'output') },
    },
    security: [{ token: [] }],
    paths,
  };
}

function operation(route: ApiRoute): object {
  const { summary, params, query, body, status = 200, answer, problems } = route;
  return {
    summary,
    parameters: [...parameters('path', params), ...parameters('query', query)],
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    responses: {
      [status]: {
        description: answer === undefined ? 'Done.' : 'The answer.',
        ...(answer && {
          content: { [answer.type]: { schema: schemaOf(answer.schema, 'output') } },
        }),
      },
      ...problemResponses([...everywhere, ...problems]),
    },
  };
}

function bodyOf(body: z.ZodType): object {
  return { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const described = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  // The document says once which dialect its schemas are in.
  delete described.$schema;
  return described;
}

function parameters(place: 'path' | 'query', object: z.ZodObject | undefined): object[] {
  return Object.entries(object?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || !z.safeParse(schema as z.ZodType, undefined).success,
    schema: schemaOf(schema as z.ZodType, 'input'),
  }));
}

function problemResponses(codes: readonly ProblemCode[]): Record<number, object> {
  const statuses = new Set(codes.map((code) => problemKinds[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      {
        description: codes.filter((code) => problemKinds[code].status === status).join(', '),
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    ]),
  );
}
