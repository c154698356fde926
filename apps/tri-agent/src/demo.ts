import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '#platform/config.js';
import {
  loadRecording,
  recordedAgents,
  recordingGroups,
  type RecordingGroup,
} from '#libs/telemetry/recordings.js';
import { decodeExport } from '#libs/telemetry/otlp.decode.js';
import type { LogRecord } from '#libs/telemetry/otlp.records.js';
import { renamer, rewrite } from '#libs/telemetry/recordings.rewrite.js';
import { startServer } from './server.js';

interface DemoOptions {
  /** 2 replays twice as fast as the sessions were recorded. */
  readonly speed: number;
  readonly once: boolean;
}

/** How long after one recorded group of each agent the next begins, before the speed factor. */
const pauseBetweenGroupsMs = 1_500;

/**
 * The server on a folder that is thrown away at the end, and recorded sessions sent to it in their own
 * rhythm, as new ones that happen now, those of each agent beside the others'. Everything but the
 * agents is real.
 */
export async function demo({ speed, once }: DemoOptions): Promise<void> {
  if (!(speed > 0)) throw new RangeError('--speed must be a number above 0.');
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-demo-'));
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopping.abort();
    });
  }
  const server = await startServer(loadConfig(process.env, { home, roles: 'all' }).config);
  try {
    printInvitation(home);
    const port = server.ports.otlpHttp ?? 0;
    const fleet = recordedAgents.map((agent) =>
      recordingGroups(agent).map((name) => loadRecording(name, agent)),
    );
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      if (once && turn === Math.max(...fleet.map((groups) => groups.length))) break;
      await Promise.all(
        fleet.map(async (groups) => {
          const group = groups[turn % groups.length];
          if (group) await replay(group, turn, speed, port, stopping.signal);
        }),
      );
      await pause(pauseBetweenGroupsMs / speed, stopping.signal);
    }
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

function printInvitation(home: string): void {
  console.log(`
Replaying recorded sessions of Claude Code, Codex CLI and Gemini CLI. In another terminal, in this folder:

  export TRI_AGENT_HOME=${home}
  npx tri-agent-ctl top
  npx tri-agent-ctl sessions
  npx tri-agent-ctl usage --by model

Ctrl-C ends the demo and removes its folder.
`);
}

/** Sends the group's bodies at the offsets at which they came, as sessions of this turn. */
async function replay(
  group: RecordingGroup,
  turn: number,
  speed: number,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const groupStartedAt = Date.now();
  const shiftNanos = BigInt(groupStartedAt) * 1_000_000n - firstTimeOf(group);
  const renameId = renamer(`${process.pid}:${turn}:${group.name}`, shiftNanos);
  for (const body of group.bodies) {
    await pause(groupStartedAt + body.offsetMs / speed - Date.now(), signal);
    if (signal.aborted) return;
    const response = await fetch(`http://127.0.0.1:${port}${body.path}`, {
      method: 'POST',
      headers: { 'content-type': body.contentType },
      body: new Uint8Array(rewrite(body.bytes, body.signal, { shiftNanos, renameId })),
    });
    if (!response.ok) console.error(`The receiver answered ${response.status} to ${body.file}.`);
  }
  console.log(`${group.agent} ${group.name}: ${group.bodies.length} exports sent`);
}

/** When the first thing happened that the group tells of, in nanoseconds since 1970. */
function firstTimeOf({ bodies }: RecordingGroup): bigint {
  const times = bodies.flatMap(({ signal, contentType, bytes }) => {
    const encoding = contentType === 'application/json' ? 'json' : 'protobuf';
    const batch = decodeExport(signal, encoding, bytes);
    return batch.signal === 'logs' ? batch.records.map(timeOf) : [];
  });
  return times.reduce((first, time) => (time < first ? time : first));
}

/** Codex tells only when a record was observed. */
function timeOf({ timeUnixNano, observedTimeUnixNano }: LogRecord): bigint {
  return timeUnixNano === 0n ? observedTimeUnixNano : timeUnixNano;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
