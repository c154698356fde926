import { BadRequestException, ForbiddenException } from '@nestjs/common';
import { LogError } from '#eventstore/src/log.js';
import { Refusal } from '#kernel/refusal.js';
import { instanceOf, problemOf } from './problem.js';

const quiet = () => undefined;

describe('A problem', () => {
  test('of the domain has its code, sentence and details', () => {
    const refusal = new Refusal('SESSION_NOT_FOUND', 'There is none.', { sessionId: 's' });
    expect(problemOf(refusal, '/x', quiet)).toEqual({
      status: 404,
      headers: {},
      body: {
        type: 'urn:tri-agent:problem:SESSION_NOT_FOUND',
        title: 'There is no such session',
        status: 404,
        code: 'SESSION_NOT_FOUND',
        detail: 'There is none.',
        instance: '/x',
        sessionId: 's',
      },
    });
  });

  test('cannot have its status or code overwritten by details', () => {
    const refusal = new Refusal('BAD_REQUEST', 'no', { status: 200, code: 'OK' });
    expect(problemOf(refusal, '/', quiet).body).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  });

  test('of the log that will pass says when to come again', () => {
    const { status, headers } = problemOf(new LogError('LOG_UNAVAILABLE', 'busy'), '/', quiet);
    expect([status, headers]).toEqual([503, { 'retry-after': '1' }]);
  });

  test.each<[unknown, number, string]>([
    [new BadRequestException('bad'), 400, 'BAD_REQUEST'],
    [new ForbiddenException('no'), 403, 'HTTP_403'],
    [Object.assign(new Error('Body too large'), { statusCode: 413 }), 413, 'BODY_TOO_LARGE'],
    [Object.assign(new Error('x'), { statusCode: 415 }), 415, 'MEDIA_TYPE_NOT_SUPPORTED'],
    [Object.assign(new Error('x'), { statusCode: 404 }), 404, 'NOT_FOUND'],
  ])('of the framework keeps its status: %s', (error, status, code) => {
    expect(problemOf(error, '/', quiet)).toMatchObject({ status, body: { status, code } });
  });

  test.each([
    new Error('secret path /home/dev'),
    new Refusal('NOBODY_KNOWS', 'secret'),
    Object.assign(new Error('secret'), { statusCode: 500 }),
    'secret',
    undefined,
  ])('that is a bug tells nothing but a reference, under which it is logged: %s', (error) => {
    const reports: unknown[] = [];
    const { status, body } = problemOf(error, '/', (reference, cause) => {
      reports.push([reference, cause]);
    });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(reports).toEqual([[body.reference, error]]);
    expect(body.detail).toContain(body.reference as string);
  });

  test('names the path that was asked for, without its query and not at any length', () => {
    expect(instanceOf('/a/b?token=secret#x')).toBe('/a/b');
    expect(instanceOf(`/${'x'.repeat(10_000)}`)).toHaveLength(200);
  });
});
