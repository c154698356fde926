import { execFile } from 'node:child_process';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import { findProgram } from '#platform/find-program.js';
import type { Notice } from './notices.policy.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** How a desktop is spoken to. */
interface Speaker {
  readonly program: string;
  readonly argumentsFor: (notice: Notice) => readonly string[];
}

/** What the programs need to find the desktop, and nothing of what else the server knows. */
const passedOn = [
  'PATH',
  'HOME',
  'LANG',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
];

/**
 * Shows warnings on the desktop of whoever runs the server: those that have just happened, once, and
 * not more than a person can read. What is not shown is not lost: every notice is in the log.
 */
export class DesktopNotices {
  /** When those of the last minute were shown. */
  private shownAtMs: number[] = [];

  private constructor(
    private readonly speaker: Speaker,
    private readonly env: Environment,
    private readonly clock: Clock,
  ) {}

  /** Undefined where there is no desktop, or no program that speaks to it. */
  static async find(
    env: Environment,
    platform: NodeJS.Platform,
    clock: Clock,
  ): Promise<DesktopNotices | undefined> {
    const speaker = await speakerFor(env, platform);
    if (speaker === undefined) return undefined;
    const passed = passedOn.map((name) => [name, env[name]] as const);
    const known = Object.fromEntries(passed.filter(([, value]) => value !== undefined));
    return new DesktopNotices(speaker, known, clock);
  }

  /** @param recordedAt when the log learned of it, ISO-8601 UTC. */
  show(notice: Notice, recordedAt: string): void {
    const now = this.clock.now();
    const isOld = now - Date.parse(recordedAt) > limits.desktopNoticeAgeMs;
    if (notice.severity === 'info' || isOld || !this.hasRoom(now)) return;
    const options = { env: this.env, timeout: limits.desktopProgramMs };
    // A desktop that does not take it is no reason to trouble anybody: there are other ways to hear.
    execFile(
      this.speaker.program,
      [...this.speaker.argumentsFor(notice)],
      options,
      () => undefined,
    ).unref();
  }

  private hasRoom(now: number): boolean {
    const minuteMs = 60_000;
    this.shownAtMs = this.shownAtMs.filter((at) => at <= now && now - at < minuteMs);
    if (this.shownAtMs.length >= limits.desktopNoticesPerMinuteMax) return false;
    this.shownAtMs.push(now);
    return true;
  }
}

async function speakerFor(
  env: Environment,
  platform: NodeJS.Platform,
): Promise<Speaker | undefined> {
  if (platform === 'darwin') {
    const program = await findProgram({ name: 'osascript' }, env);
    return program === undefined ? undefined : { program, argumentsFor: forMacOs };
  }
  const hasScreen = Boolean(env['DISPLAY']) || Boolean(env['WAYLAND_DISPLAY']);
  if (platform !== 'linux' || !hasScreen) return undefined;
  const program = await findProgram({ name: 'notify-send' }, env);
  return program === undefined ? undefined : { program, argumentsFor: forFreeDesktops };
}

/** What is shown is handed over as arguments, and never becomes a part of the script. */
function forMacOs({ title, text }: Notice): readonly string[] {
  const script = [
    'on run argv',
    'display notification (item 2 of argv) with title (item 1 of argv) subtitle "tri-agent"',
    'end run',
  ];
  return [...script.flatMap((line) => ['-e', line]), title, text];
}

/** Many desktops take the text for markup. */
function forFreeDesktops({ severity, title, text }: Notice): readonly string[] {
  const urgency = severity === 'critical' ? 'critical' : 'normal';
  const harmless = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return ['--app-name=tri-agent', `--urgency=${urgency}`, '--', title, harmless];
}
