import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../failure.js';
import { safeJson } from '../render/text.js';
import type { Server } from '../server.js';
import {
  jsonObjectOf,
  readSettingsFile,
  writeSettingsFile,
  type SettingsFile,
} from './settings-file.js';

/** What `connect` wrote into which file, so that `disconnect` can take back just that. */
const connection = z.object({
  connectedAt: z.string(),
  createdFile: z.boolean(),
  createdSection: z.boolean(),
  changes: z.array(
    z.object({
      key: z.string(),
      before: z.unknown().optional(),
      after: z.unknown().optional(),
    }),
  ),
});
export type Connection = z.infer<typeof connection>;

const connections = z.record(z.string(), z.record(z.string(), connection));

/** `connections.json` of the data folder: agent, then the settings file's path, then the connection. */
export class Connections {
  private constructor(
    private readonly file: SettingsFile,
    private readonly all: z.infer<typeof connections>,
  ) {}

  static async open({ loaded }: Server): Promise<Connections> {
    const file = await readSettingsFile(join(loaded.config.home, 'connections.json'));
    const parsed = connections.safeParse(file.source === null ? {} : jsonObjectOf(file));
    if (parsed.success) return new Connections(file, parsed.data);
    throw new Failure(
      'connections_invalid',
      `${file.path} does not hold what "connect" writes there; nothing was changed.`,
      'Repair it, or delete it: then "disconnect" no longer knows what stood in the settings before.',
    );
  }

  of(agent: string, path: string): Connection | undefined {
    return this.all[agent]?.[path];
  }

  /** The settings files that the agent was connected in. */
  pathsOf(agent: string): readonly string[] {
    return Object.keys(this.all[agent] ?? {});
  }

  /** Keeps it on disk; undefined forgets it. */
  async with(agent: string, path: string, kept: Connection | undefined): Promise<Connections> {
    const others = Object.entries(this.all[agent] ?? {}).filter(([other]) => other !== path);
    const ofAgent = kept === undefined ? others : [...others, [path, kept] as const];
    const all = { ...this.all, [agent]: Object.fromEntries(ofAgent) };
    const text = `${safeJson(all, 2)}\n`;
    await writeSettingsFile(this.file, text);
    return new Connections({ ...this.file, source: text, text }, all);
  }
}
