import { findProgram } from '#platform/find-program.js';
import { versionOf } from '#platform/program-version.js';
import { stat } from 'node:fs/promises';
import { describeFailure } from '../client.js';
import type { Agent } from '../connect/agent.js';
import { agents } from '../connect/agents.js';
import { standingOf } from '../connect/connecting.js';
import type { Io } from '../io.js';
import type { Server } from '../server.js';
import { ok, warn, type Finding } from './finding.js';

/** Every agent that can be connected: is it there, in which version, and does it report here? */
export async function checkAgents(
  io: Io,
  server: Server,
  otlpPort: number | null | undefined,
): Promise<Finding[]> {
  const findings = await Promise.all(
    agents.map((agent) => checkAgent(agent, io, server, otlpPort)),
  );
  return findings.flat();
}

async function checkAgent(
  agent: Agent,
  io: Io,
  server: Server,
  otlpPort: number | null | undefined,
): Promise<Finding[]> {
  const { title, word } = agent;
  const program = await findProgram(agent.program, io.env, io.cwd);
  const named = io.env[agent.program.variable];
  if (program === undefined && named) {
    const detail = `${agent.program.variable} names ${named}, which cannot be run`;
    return [warn(title, detail, 'Correct it, or unset it.')];
  }
  const folder = agent.folder(io);
  if (program === undefined && !(await isThere(folder))) {
    return [ok(title, `not here (no ${agent.program.name} on PATH, no ${folder})`)];
  }
  const version = program === undefined ? undefined : await versionOf(program, io.env);
  const which = version ?? (program === undefined ? 'not on PATH' : 'version unknown');
  try {
    const standing = await standingOf(agent, io, server, { scope: 'user' }, otlpPort);
    const { connected, file, rivals, warnings } = standing;
    const connect = `tri-agent-ctl connect ${word} --write`;
    const elsewhere = `${which}, ${file.path} sends telemetry elsewhere`;
    return [
      connected
        ? ok(title, `${which}, connected (${file.path})`)
        : rivals.length > 0
          ? warn(title, elsewhere, `To send it here: ${connect} --force`)
          : warn(title, `${which}, not connected (${file.path})`, `Connect it: ${connect}`),
      ...warnings.map(({ what, fix }) => warn(title, what, fix)),
    ];
  } catch (error) {
    return [warn(title, describeFailure(error), 'Then run doctor again.')];
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
