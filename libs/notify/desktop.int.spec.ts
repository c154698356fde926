import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { clockAt, recorded } from '#platform/projection.specification.js';
import { DesktopNotices } from './desktop.js';
import { noticeOf, type Notice } from './notices.policy.js';
import { NotifyHouse } from './notifier.spec-helper.js';

const at = '2026-11-21T01:13:04.000Z';
const clock = clockAt(at);

let folder: string;
let said: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'desktop-'));
  said = join(folder, 'said');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Programs that write down what they were called with, each argument a line of JSON text. */
function script(name: string): void {
  const lines = [
    `#!${process.execPath}`,
    "const { appendFileSync } = require('node:fs');",
    'const call = { argv: process.argv.slice(2), env: process.env };',
    `appendFileSync(${JSON.stringify(said)}, JSON.stringify(call) + '\\n');`,
  ];
  writeFileSync(join(folder, name), lines.join('\n'), { mode: 0o755 });
}

interface Call {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Waits for a condition; the deadline only says when hope is given up. */
async function until(holds: () => boolean): Promise<void> {
  const givenUpAt = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > givenUpAt) throw new Error('Waited in vain.');
    await delay(10);
  }
}

function linesSaid(): string[] {
  return existsSync(said) ? readFileSync(said, 'utf8').split('\n').filter(Boolean) : [];
}

async function calls(count: number): Promise<Call[]> {
  await until(() => linesSaid().length >= count);
  return linesSaid().map((line) => JSON.parse(line) as Call);
}

const env = (more: Record<string, string> = { DISPLAY: ':0' }) => ({
  PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
  TRI_AGENT_TOKEN: 'a-token-that-nobody-needs-to-know',
  ...more,
});

const noticeAbout = (error: string): Notice =>
  noticeOf(
    recorded(
      1,
      'LoopDetected',
      {
        agent: 'codex',
        sessionId: 'one',
        taskId: null,
        what: 'tool',
        name: 'shell',
        failures: 5,
        since: at,
        error,
      },
      at,
    ),
  )!;
const trip: Notice = { ...noticeAbout(''), severity: 'critical' };

describe('There is a desktop', () => {
  test.each([
    ['a display and notify-send', 'linux', { DISPLAY: ':0' }, true],
    ['Wayland and notify-send', 'linux', { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['nothing to show it on', 'linux', {}, false],
    ['an empty display', 'linux', { DISPLAY: '' }, false],
    ['a Mac', 'darwin', {}, true],
    ['Windows', 'win32', { DISPLAY: ':0' }, false],
  ] as const)('with %s: %s %j %s', async (_what, platform, more, isThere) => {
    script('notify-send');
    script('osascript');
    const found = await DesktopNotices.find(env(more), platform, clock);
    expect(found !== undefined).toBe(isThere);
  });

  test('not without the program', async () => {
    const nothing = { PATH: folder, DISPLAY: ':0' };
    expect(await DesktopNotices.find(nothing, 'linux', clock)).toBeUndefined();
    expect(await DesktopNotices.find(nothing, 'darwin', clock)).toBeUndefined();
  });
});

describe('A notice on the desktop', () => {
  const hostile = '"; do shell script "reboot" -- <b>&amp; $(reboot) `reboot`\n\u001b[2J';

  test('is shown by notify-send as text, and the program learns nothing else', async () => {
    script('notify-send');
    const desktop = await DesktopNotices.find(env(), 'linux', clock);
    const notice = noticeAbout(hostile);
    desktop!.show(notice, at);
    const [call] = await calls(1);
    const text = notice.text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;');
    expect(call?.argv).toEqual([
      '--app-name=tri-agent',
      '--urgency=normal',
      '--',
      notice.title,
      text,
    ]);
    expect(text).toContain('&lt;b&gt;&amp;amp; $(reboot)');
    expect(call?.env).toMatchObject({ DISPLAY: ':0' });
    expect(JSON.stringify(call?.env)).not.toContain('a-token-that-nobody-needs-to-know');
  });

  test('is shown on a Mac by a script that it is no part of', async () => {
    script('osascript');
    const desktop = await DesktopNotices.find(env(), 'darwin', clock);
    const notice = noticeAbout(hostile);
    desktop!.show(notice, at);
    const [call] = await calls(1);
    const argv = call?.argv ?? [];
    expect(argv.slice(-2)).toEqual([notice.title, notice.text]);
    const program = argv.slice(0, -2);
    expect(program.join('\n')).not.toContain('reboot');
    expect(program.filter((_, index) => index % 2 === 0)).toEqual(['-e', '-e', '-e']);
  });

  test('is shown when it is a warning or worse, and has just happened', async () => {
    script('notify-send');
    const desktop = await DesktopNotices.find(env(), 'linux', clock);
    desktop!.show({ ...trip, severity: 'info' }, at);
    desktop!.show(trip, '2026-11-21T01:12:03.000Z');
    desktop!.show({ ...trip, title: 'This one' }, '2026-11-21T01:12:05.000Z');
    const [call, ...others] = await calls(1);
    expect(call?.argv).toContain('This one');
    expect(call?.argv).toContain('--urgency=critical');
    expect(others).toEqual([]);
  });

  test('is one of few in a minute', async () => {
    script('notify-send');
    let now = Date.parse(at);
    const running = Object.assign(clockAt(at), { now: () => now });
    const desktop = await DesktopNotices.find(env(), 'linux', running);
    const most = limits.desktopNoticesPerMinuteMax;
    for (let times = 0; times < most + 5; times += 1) desktop!.show(trip, at);
    now += 60_000;
    desktop!.show({ ...trip, title: 'A minute later' }, new Date(now).toISOString());
    const shown = await calls(most + 1);
    expect(shown).toHaveLength(most + 1);
    expect(shown.filter(({ argv }) => argv.includes('A minute later'))).toHaveLength(1);
  });
});

test('What happened before the start is not shown, what happens after is, once', async () => {
  script('notify-send');
  const house = new NotifyHouse();
  const desktop = await DesktopNotices.find(env(), 'linux', house.clock);
  const kinds = ['task.parked'] as const;
  await house.webhook('http://127.0.0.1:9/', [...kinds]);
  await house.parkTask('before');
  const notifier = house.start({
    desktop,
    times: { firstMs: 60_000, maxMs: 60_000, forMs: 60_000 },
  });
  // It listens once it sends what was pending, which nobody takes here.
  await house.untilReported(1);
  await house.parkTask('after');
  const [call] = await calls(1);
  expect(call?.argv.join(' ')).toContain('Task after is parked');
  await notifier.stop();
  house.start({ desktop });
  await house.untilReported(2);
  await house.parkTask('later');
  const all = await calls(2);
  expect(all.map(({ argv }) => argv[3])).toEqual(['Task after is parked', 'Task later is parked']);
  await house.stop();
});
