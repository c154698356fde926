import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { calledByWorker, type WorkerTokens } from '#platform/caller.js';
import type { Clock } from '#platform/clock.js';
import type { AccessToken } from './access-token.js';
import {
  isAllowedHost,
  isAllowedOrigin,
  isListedOrigin,
  type AllowedNames,
} from './request-origin.js';
import { isUnder, normalisedPath } from './request-path.js';
import { WrongTokens } from './wrong-tokens.js';

/** What a path asks of who comes in: nothing, or the token, from a program, a browser, a worker or a hook, too. */
type Need = 'nothing' | 'token' | 'token or password' | 'token or worker' | 'token or hook';

export interface GuardOptions {
  readonly token: AccessToken;
  /** Opens what is for agents' hooks, and nothing else. */
  readonly hooksToken?: AccessToken;
  readonly allowed: AllowedNames;
  readonly needOf: (path: string) => Need;
  readonly clock: Clock;
  /** Whose tokens open what is for workers; none where there are none. */
  readonly workers?: WorkerTokens;
  /** Answers in the manner of the port. Headers that belong with the refusal are set already. */
  readonly refuse: (request: FastifyRequest, reply: FastifyReply, refusal: Refusal) => unknown;
}

const workerPaths = ['/api/v1/claims', '/api/v1/attempts', '/api/v1/workers'];

/** REST, documents, health, metrics and the dashboard. */
export function needOnApiPort(isLoopback: boolean): (path: string) => Need {
  return (path) => {
    if (isUnder(path, '/api/v1/hooks')) return 'token or hook';
    // A browser that opens the documents can send the token only as a password.
    if (workerPaths.some((it) => isUnder(path, it))) return 'token or worker';
    if (isUnder(path, '/api/docs') || path === '/api/docs-json') return 'token or password';
    if (isUnder(path, '/api')) return 'token';
    return isUnder(path, '/metrics') && !isLoopback ? 'token' : 'nothing';
  };
}

export function needOnOtlpPort(isLoopback: boolean): (path: string) => Need {
  return () => (isLoopback ? 'nothing' : 'token');
}

/**
 * Looks at every request of a port before anything else does: the host it names, the page it comes
 * from, and its token.
 *
 * The right token is let in even from an address that sent too many wrong ones: at 16 characters or
 * more it cannot be guessed, and otherwise anything on this machine could lock its owner out.
 */
export function guard(options: GuardOptions): onRequestHookHandler {
  const { allowed, needOf, clock, workers, refuse } = options;
  const wrongTokens = new WrongTokens();
  const refuseToken = (
    request: FastifyRequest,
    reply: FastifyReply,
    refusal: Refusal,
    need: Need,
  ): void => {
    const tooMany = refusal.code === 'TOKEN_WRONG' && wrongTokens.add(request.ip, clock.now());
    const scheme = need === 'token or password' ? 'Basic' : 'Bearer';
    void reply.header('www-authenticate', `${scheme} realm="tri-agent"`);
    refuse(request, reply, tooMany ? refusalOfTooMany() : refusal);
  };
  return (request, reply, done) => {
    const { host, origin } = request.headers;
    const refusal = refusalOfOrigin(host, origin, allowed);
    if (refusal !== undefined) {
      refuse(request, reply, refusal);
      return;
    }
    if (origin !== undefined && isListedOrigin(origin, allowed)) {
      void reply.headers({ 'access-control-allow-origin': origin, vary: 'origin' });
      if (request.method === 'OPTIONS') {
        void reply.headers(preflight).code(204).send();
        return;
      }
    }
    const need = needOfRequest(request, needOf);
    const given = need === 'nothing' ? undefined : givenToken(request, need);
    if (need === 'nothing' || (given !== undefined && opens(given, need, options))) {
      done();
      return;
    }
    const mayBeWorker = need === 'token or worker' && workers?.isWorkerToken(given ?? '') === true;
    if (given === undefined || !mayBeWorker) {
      refuseToken(request, reply, refusalOfToken(given), need);
      return;
    }
    workers.workerOf(given).then(
      (workerId) => {
        if (workerId === undefined) {
          refuseToken(request, reply, refusalOfToken(given), need);
          return;
        }
        calledByWorker(request, workerId);
        done();
      },
      (error: unknown) => {
        // Who it is cannot be told while the log cannot be read.
        done(error as Error);
      },
    );
  };
}

function opens(given: string, need: Need, { token, hooksToken }: GuardOptions): boolean {
  return token.matches(given) || (need === 'token or hook' && hooksToken?.matches(given) === true);
}

const preflight = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers': 'authorization, content-type, last-event-id',
  'access-control-max-age': '600',
};

/** The stricter of what the address says and what the route says that the router found for it. */
function needOfRequest(request: FastifyRequest, needOf: GuardOptions['needOf']): Need {
  const need = needOf(normalisedPath(request.url));
  const route = request.routeOptions.url;
  if (route === undefined || need === 'token') return need;
  const needOfRoute = needOf(route.toLowerCase());
  return needOfRoute === 'nothing' ? need : needOfRoute;
}

function refusalOfOrigin(
  host: string | undefined,
  origin: string | undefined,
  allowed: AllowedNames,
): Refusal | undefined {
  if (!isAllowedHost(host, allowed)) {
    return new Refusal(
      'HOST_NOT_ALLOWED',
      'This server is not to be called under that host name. If it should be, add the name to TRI_AGENT_ALLOWED_HOSTS.',
    );
  }
  if (isAllowedOrigin(origin, host, allowed)) return undefined;
  return new Refusal(
    'ORIGIN_NOT_ALLOWED',
    'Pages of that origin may not call this server. If they should, add it to TRI_AGENT_ALLOWED_ORIGINS.',
  );
}

function givenToken(request: FastifyRequest, need: Need): string | undefined {
  const browser = need === 'token or password' && ['GET', 'HEAD'].includes(request.method);
  return tokenOf(request.headers.authorization, browser);
}

/** Made only when it is needed: an error remembers where it was made, which takes its time. */
function refusalOfToken(given: string | undefined): Refusal {
  if (given === undefined) {
    return new Refusal(
      'TOKEN_MISSING',
      'Send the token as "Authorization: Bearer ...". It is in the file "token" of the data folder.',
    );
  }
  return new Refusal('TOKEN_WRONG', 'This is not the token of this server.');
}

function refusalOfTooMany(): Refusal {
  return new Refusal(
    'TOO_MANY_WRONG_TOKENS',
    `More than ${limits.badTokensPerMinuteMax} wrong tokens came from this address within a minute. Find what sends them.`,
  );
}

function tokenOf(header: string | undefined, browser: boolean): string | undefined {
  const match = /^(bearer|basic) +(\S+)$/i.exec(header ?? '');
  const [, scheme, credentials] = match ?? [];
  if (scheme === undefined || credentials === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (!browser) return undefined;
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
