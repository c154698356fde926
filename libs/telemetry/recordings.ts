import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '#platform/project-root.js';
import type { Signal } from './otlp.records.js';

/**
 * Loads recorded telemetry of real agent clients: see recordings/README.md for what it is and how it
 * was made. The files stay beside the source, also when this module runs from the build.
 */

/** One request body as the client sent it. */
export interface RecordedBody {
  readonly file: string;
  readonly signal: Signal;
  /** `/v1/logs`, `/v1/metrics` or `/v1/traces`. */
  readonly path: string;
  readonly contentType: string;
  /** When it arrived, after the first body of its group. */
  readonly offsetMs: number;
  readonly bytes: Buffer;
}

/** What the client printed when a run ended. Tokens and cost are cumulative over the session. */
export interface RecordedResult {
  /** Which process of the group printed it, from 1. */
  readonly run: number;
  readonly session_id: string;
  readonly subtype: string;
  readonly is_error: boolean;
  readonly total_cost_usd: number;
  readonly modelUsage: Readonly<Record<string, RecordedModelUsage>>;
}

export interface RecordedModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadInputTokens: number;
  readonly cacheCreationInputTokens: number;
  readonly costUSD: number;
  readonly contextWindow: number;
}

export interface RecordingGroup {
  readonly agent: string;
  readonly name: string;
  /** In order of arrival. */
  readonly bodies: readonly RecordedBody[];
  /** In the order in which they were printed, run by run. */
  readonly results: readonly RecordedResult[];
}

interface ManifestEntry {
  readonly file: string;
  readonly path: string;
  readonly contentType: string;
  readonly receivedAtOffsetMs: number;
}

/** Whose clients were recorded. */
export const recordedAgents = ['claude-code', 'codex', 'gemini'] as const;

/** Names of the groups of one agent's recordings, in alphabetical order. */
export function recordingGroups(agent = 'claude-code'): string[] {
  return readdirSync(join(recordingsFolder(), agent)).sort();
}

/** @throws when there is no such group. */
export function loadRecording(name: string, agent = 'claude-code'): RecordingGroup {
  const folder = join(recordingsFolder(), agent, name);
  const manifest = readJson(join(folder, 'manifest.json')) as readonly ManifestEntry[];
  const results = readJson(join(folder, 'results.json')) as readonly RecordedResult[];
  const bodies = manifest.map((entry) => ({
    file: entry.file,
    signal: entry.path.slice('/v1/'.length) as Signal,
    path: entry.path,
    contentType: entry.contentType,
    offsetMs: entry.receivedAtOffsetMs,
    bytes: readFileSync(join(folder, entry.file)),
  }));
  return { agent, name, bodies, results };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The compiler copies no data files, so the folder is found from the project's root. */
function recordingsFolder(): string {
  return join(projectRoot(), 'libs', 'telemetry', 'recordings');
}
