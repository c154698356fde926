import { isIPv4 } from 'node:net';

/** Host names and origins, besides loopback ones and the server's own, that are let in. */
export interface AllowedNames {
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
}

/** `name`, `name:port`, `[address]` or `[address]:port`, and nothing around it. */
const hostPattern = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;

/**
 * Whether the server may be called under this name. A web page that makes its own name resolve to
 * this machine (DNS rebinding) comes with that name here.
 */
export function isAllowedHost(header: string | undefined, allowed: AllowedNames): boolean {
  const host = header?.toLowerCase();
  const name = host === undefined ? undefined : hostPattern.exec(host)?.groups?.name;
  if (host === undefined || name === undefined) return false;
  if (name === 'localhost' || name === '[::1]') return true;
  if (isIPv4(name) && name.startsWith('127.')) return true;
  return allowed.hosts.some((it) => [host, name].includes(it.toLowerCase()));
}

/**
 * Whether the page that sent the request may. No origin: no page sent it. The server's own origin is
 * the host that the request names, which `isAllowedHost` has let in.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: AllowedNames,
): boolean {
  if (origin === undefined || host === undefined) return origin === undefined;
  const given = origin.toLowerCase();
  if (['http', 'https'].some((scheme) => given === `${scheme}://${host.toLowerCase()}`))
    return true;
  return isListedOrigin(origin, allowed);
}

/** Whether it is a page of elsewhere that was let in by configuration. */
export function isListedOrigin(origin: string, allowed: AllowedNames): boolean {
  return allowed.origins.some((it) => it.toLowerCase() === origin.toLowerCase());
}
