import type { Client } from '../client.js';
import type { Agent } from '../connect/agent.js';
import { agents } from '../connect/agents.js';
import { otlpPortOf, standingOf, type Standing } from '../connect/connecting.js';
import { Connections } from '../connect/connections.js';
import { followLinks } from '../connect/settings-file.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { tableLines, type Column } from '../render/table.js';

interface Row {
  readonly agent: string;
  readonly title: string;
  readonly state: 'connected' | 'elsewhere' | 'not connected' | 'unreadable';
  readonly file: string;
  /** Where telemetry goes, or what is the matter. */
  readonly detail: string;
  readonly next: string;
}

const columns: readonly Column<Row>[] = [
  { head: 'AGENT', cell: ({ title }) => title },
  {
    head: 'STATE',
    cell: ({ state }) => state,
    style: ({ state }) => (state === 'connected' ? 'green' : 'yellow'),
  },
  { head: 'SETTINGS', cell: ({ file }) => file, dispensable: 1 },
];

/** Every agent: does it report here, and what to type where it does not. */
export async function listConnections(client: Client, output: Output): Promise<void> {
  const otlpPort = await otlpPortOf(client);
  const connections = await Connections.open(client.server);
  const rows: Row[] = [];
  for (const agent of agents) {
    const usual = agent.settingsPath(output.io, { scope: 'user' });
    const target = await followLinks(usual).catch(() => usual);
    const others = connections.pathsOf(agent.id).filter((path) => path !== target);
    for (const file of [usual, ...others]) {
      rows.push(await rowOf(agent, client, output, file, otlpPort));
    }
  }
  if (output.json) {
    output.document({
      items: rows.map(({ agent, state, file, detail }) => ({ agent, state, file, detail })),
    });
    return;
  }
  const width = output.io.size?.().columns;
  output.lines(...tableLines(columns, rows, output.paint, width), '');
  const notes = rows.filter(({ state }) => state !== 'connected');
  for (const { title, detail, next } of notes) output.note(`${title}: ${detail} ${next}`);
}

async function rowOf(
  agent: Agent,
  { server }: Client,
  { io }: Output,
  file: string,
  otlpPort: number | null | undefined,
): Promise<Row> {
  const row = { agent: agent.id, title: agent.title, file };
  const connect = `tri-agent-ctl connect ${agent.word} --write`;
  try {
    const standing = await standingOf(agent, io, server, { scope: 'user', file }, otlpPort);
    const { connected, rivals, wanted } = standing;
    if (connected) return { ...row, state: 'connected', detail: wanted.endpoint, next: '' };
    if (rivals.length === 0) return { ...row, ...notConnected(standing), next: `Type: ${connect}` };
    const detail = rivals.map(({ what }) => what).join(', ');
    return { ...row, state: 'elsewhere', detail, next: `To have it here: ${connect} --force` };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...row, state: 'unreadable', detail: error.message, next: error.hint };
  }
}

function notConnected({ wanted, opened }: Standing): Pick<Row, 'state' | 'detail'> {
  const missing = Object.keys(wanted.required).filter((key) => !(key in opened.values));
  const all = missing.length === Object.keys(wanted.required).length;
  const detail = all ? 'nothing is set.' : `not as it has to be for ${wanted.endpoint}.`;
  return { state: 'not connected', detail };
}
