import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** The rules of the house that a machine can hold. ARCHITECTURE.md names this file beside each. */

const root = join(import.meta.dirname, '../../..');
const notOurs = new Set(['node_modules', 'dist', '.git', 'coverage', 'recordings', 'otlp-samples']);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [relative(root, path).split(sep).join('/')];
  });
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

const files = filesBelow(root);
const sources = files.filter((file) => file.endsWith('.ts'));
const documents = files.filter((file) => file.endsWith('.md'));

/** The room a file stands in: `kernel`, `eventstore`, `platform`, a context's name, or `apps/<app>`. */
function roomOf(file: string): string {
  const [top, second] = file.split('/');
  if (top === 'libs') return second ?? '';
  return top === 'apps' ? `apps/${second ?? ''}` : (top ?? '');
}

function floorOf(room: string): number {
  const floors = ['kernel', 'eventstore', 'platform'];
  if (room.startsWith('apps/')) return 4;
  return floors.includes(room) ? floors.indexOf(room) : 3;
}

function importedRooms(file: string): string[] {
  const specifiers = [...textOf(file).matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((m) => m[1]!);
  return specifiers.flatMap((specifier) => {
    const named = /^#(kernel|eventstore|platform)\//.exec(specifier)?.[1];
    if (named !== undefined) return [named];
    const context = /^#libs\/([^/]+)\//.exec(specifier)?.[1];
    if (context !== undefined) return [context];
    if (!specifier.startsWith('.')) return [];
    return [
      roomOf(
        relative(root, join(root, file, '..', specifier))
          .split(sep)
          .join('/'),
      ),
    ];
  });
}

describe('Imports', () => {
  const product = sources.filter((file) => !file.includes('/test/'));

  test.each(product)('run downhill in %s', (file) => {
    const own = roomOf(file);
    for (const room of importedRooms(file)) {
      if (room === own) continue;
      expect({ from: own, imports: room, downhill: floorOf(room) < floorOf(own) }).toEqual({
        from: own,
        imports: room,
        downhill: true,
      });
    }
  });

  test('of the command line and the worker reach neither the log nor Nest: they speak REST', () => {
    const offenders = sources
      .filter((file) => /^apps\/tri-agent-(?:ctl|worker)\/src\//.test(file))
      .filter((file) => /'(@nestjs|better-sqlite3|#eventstore|#libs)/.test(textOf(file)));
    expect(offenders).toEqual([]);
  });
});

describe('Pure files', () => {
  const pure = sources.filter((file) =>
    /\.(events|decode|translate|policy|decider)\.ts$|^libs\/kernel\/(?!.*\.spec\.ts)/.test(file),
  );
  const impure =
    /@nestjs|'node:|\bDate\.now\b|new Date\(\)|Math\.random|(?<!['.])\bprocess\.|setTimeout|\bfetch\(/;

  test.each(pure)('%s has no clock, no chance, no IO and no framework', (file) => {
    expect(impure.exec(textOf(file))?.[0]).toBeUndefined();
  });
});

describe('Every file', () => {
  test.each(sources)('%s is at most 300 lines', (file) => {
    expect(textOf(file).split('\n').length).toBeLessThanOrEqual(301);
  });

  test('stands in a room that exists', () => {
    const rooms = ['apps', 'libs', 'eventstore', 'deployment', '.ci'];
    const strays = sources.filter(
      (file) => file.includes('/') && !rooms.includes(file.split('/')[0]!),
    );
    expect(strays).toEqual([]);
  });

  test('says nothing unfinished', () => {
    const words = new RegExp(
      ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'not impl' + 'emented'].join('|'),
    );
    expect([...sources, ...documents].filter((file) => words.test(textOf(file)))).toEqual([]);
  });

  test('bears no mark of an unfinished merge', () => {
    // Prettier makes a quotation of the last of them.
    const marks = /^(?:<{7}|>{7}|(?:> ){7})(?:\s|$)/m;
    expect([...sources, ...documents].filter((file) => marks.test(textOf(file)))).toEqual([]);
  });

  test('skips or singles out no test', () => {
    const marks = new RegExp('\\b(?:test|it|describe)\\.(?:on' + 'ly|sk' + 'ip)\\(');
    expect(sources.filter((file) => marks.test(textOf(file)))).toEqual([]);
  });
});

describe('Documents', () => {
  test.each(documents)('%s has one title', (file) => {
    const prose = textOf(file).replace(/```[\s\S]*?```/g, '');
    expect(prose.split('\n').filter((line) => line.startsWith('# '))).toHaveLength(1);
  });

  test('ARCHITECTURE.md names only files that exist', () => {
    const named = [
      ...textOf('ARCHITECTURE.md').matchAll(
        /`((?:apps|libs|eventstore|deployment|\.ci)\/[\w./-]+)`/g,
      ),
    ];
    expect(named.length).toBeGreaterThan(10);
    expect(named.map((match) => match[1]!).filter((path) => !existsSync(join(root, path)))).toEqual(
      [],
    );
  });

  test('README.md names every environment variable that the code reads', () => {
    const variables = new Set(textOf('libs/platform/config.ts').match(/TRI_AGENT_[A-Z_]+/g));
    const readme = textOf('README.md');
    expect([...variables].filter((variable) => !readme.includes(variable))).toEqual([]);
  });

  test('RUNBOOK.md has a heading for every error code', () => {
    const codes = new Set(
      [...textOf('libs/platform/problem.ts').matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map((m) => m[1]!),
    );
    expect(codes.size).toBeGreaterThan(5);
    const runbook = textOf('deployment/RUNBOOK.md');
    expect([...codes].filter((code) => !runbook.includes(`### ${code}\n`))).toEqual([]);
  });

  test('CHANGELOG.md keeps to Keep a Changelog', () => {
    const headings = textOf('CHANGELOG.md').match(/^### .*$/gm) ?? [];
    const known = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
    expect(headings.filter((heading) => !known.includes(heading.slice(4)))).toEqual([]);
    expect(textOf('CHANGELOG.md')).toContain('## [Unreleased]');
  });
});

describe('The lockfile', () => {
  interface Locked {
    readonly version?: string;
    readonly integrity?: string;
    readonly resolved?: string;
    readonly link?: boolean;
  }
  const { packages } = JSON.parse(textOf('package-lock.json')) as {
    packages: Record<string, Locked>;
  };
  const locked = Object.entries(packages).filter(([path]) => path !== '');

  test('has an integrity for every package and names no host', () => {
    expect(
      locked.filter(([, entry]) => entry.integrity === undefined).map(([path]) => path),
    ).toEqual([]);
    expect(locked.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  test('stays above the versions with known holes', () => {
    const major = (name: string) =>
      Number(packages[`node_modules/${name}`]?.version?.split('.')[0]);
    // 12.8 is the first better-sqlite3 without SQLite's WAL-reset bug; 8 is past protobufjs's holes.
    expect(major('better-sqlite3')).toBeGreaterThanOrEqual(13);
    expect(major('protobufjs')).toBeGreaterThanOrEqual(8);
  });
});
