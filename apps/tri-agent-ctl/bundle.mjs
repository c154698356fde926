// Makes one file of the built command line. Finding and opening its fifty modules took longer than
// asking the server; of one file that Node keeps compiled, only what a command runs costs anything.
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * commander loads what starts other programs, for subcommands that are programs of their own. Here are
 * none, and loading it would be a tenth of a short answer.
 */
const commanderStartsNothing = {
  name: 'commander-starts-nothing',
  setup({ onResolve, onLoad }) {
    const commander = join('node_modules', 'commander');
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes(commander) ? { path: 'nothing', namespace: 'nothing' } : undefined,
    );
    onLoad({ filter: /^nothing$/, namespace: 'nothing' }, () => ({ contents: '' }));
  },
};

await build({
  entryPoints: ['dist/apps/tri-agent-ctl/src/main.js'],
  outfile: 'dist/apps/tri-agent-ctl/program.cjs',
  bundle: true,
  platform: 'node',
  target: 'node22.14',
  format: 'cjs',
  // CommonJS knows its folder by another name.
  define: { 'import.meta.dirname': '__dirname' },
  // What only longer commands need: it would make the file four times as large.
  external: ['zod', 'smol-toml', 'cli-progress', 'yaml'],
  plugins: [commanderStartsNothing],
  logLevel: 'warning',
});
