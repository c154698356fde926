import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '#platform/project-root.js';

/**
 * The real clients against scripted model APIs. They have to be installed for it, so it is done here only
 * with `TRI_AGENT_REAL_AGENTS=on`; else `npm run check:claude` and the like do the same.
 */
const isWanted = process.env['TRI_AGENT_REAL_AGENTS'] === 'on';
const minutes = 5 * 60_000;

if (isWanted) {
  test.each(['claude', 'codex', 'gemini'])(
    'The real %s reports, runs for a worker, pauses and goes on, as it says itself',
    (name) => {
      const script = join(projectRoot(), `dist/apps/tri-agent/test/real-${name}.script.js`);
      const options = { encoding: 'utf8', timeout: minutes } as const;
      const { status, stdout } = spawnSync(process.execPath, [script], options);
      expect({ status, stdout }).toMatchObject({ status: 0 });
    },
    minutes,
  );
} else {
  test('The real clients are not run here: "npm run check:claude", "check:codex" and "check:gemini" do that', () => {
    expect(isWanted).toBe(false);
  });
}
