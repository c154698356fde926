import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  isLoopback,
  loadConfig,
  type Config,
  type LoadedConfig,
} from '#platform/config.js';
import { readToken, type ServerAddress } from './address.js';
import { Failure } from './failure.js';
import type { Io } from './io.js';

/** A server with the settings that lead to it. */
export interface Server extends ServerAddress {
  readonly loaded: LoadedConfig;
}

export function homeOf(io: Io): string {
  return io.env.HOME ?? homedir();
}

/** @throws {Failure} when the configuration is wrong. */
export function findServer(io: Io): Server {
  const loaded = readConfig(io);
  const { config } = loaded;
  const url = (config.url ?? localUrl(config)).replace(/\/+$/, '');
  const tokenFile = join(config.home, 'token');
  return {
    loaded,
    url,
    token: config.token ?? readToken(tokenFile),
    tokenFile,
    tokenIsSet: config.token !== null,
    onLoopback: isLoopback(hostOf(url)) && isLoopback(config.bind),
  };
}

/** A server that listens on ::1 alone does not answer on 127.0.0.1. */
function localUrl({ bind, httpPort }: Config): string {
  return `http://${bind === '::1' ? '[::1]' : '127.0.0.1'}:${httpPort}`;
}

/** `[::1]` of a URL is the address `::1`. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/** Where OTLP/HTTP is taken: on the server's host, at the port it tells or else the configured one. */
export function otlpUrl(server: Server, port: number | null | undefined): string {
  const url = new URL(server.url);
  return `${url.protocol}//${url.hostname}:${port ?? server.loaded.config.otlpHttpPort}`;
}

function readConfig(io: Io): LoadedConfig {
  try {
    return loadConfig(io.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Failure(
      'config_invalid',
      error.message,
      'Correct that setting; "tri-agent-ctl config" then shows all of them.',
    );
  }
}
