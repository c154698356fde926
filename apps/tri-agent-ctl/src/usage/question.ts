import type { Query } from '../client.js';
import { usageFailure, type Output } from '../output.js';
import { parseMoment } from '../render/times.js';
import { calendarStart, isTimeZone, machineZone, type CalendarUnit } from '../render/zones.js';
import { cutOf, type Cut, type NameCut } from './cuts.js';

/** What was typed. */
export interface UsageWish {
  readonly by?: Cut;
  readonly breakdown?: NameCut;
  readonly since?: string;
  readonly until?: string;
  readonly timezone?: string;
  readonly csv: boolean;
  readonly agent?: string;
  readonly session?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly project?: string;
  readonly team?: string;
  readonly user?: string;
  readonly task?: string;
}

/** What is asked of the server. */
export interface Question {
  readonly cut: Cut | 'models';
  readonly zone: string;
  readonly since: Date;
  readonly until: Date | undefined;
  readonly breakdown: NameCut | undefined;
  readonly filter: Query;
}

/**
 * How far back each cut looks when nobody says: so many whole units of the calendar, this one included.
 * Names are summed over the same days as `daily` shows, so that the totals of both agree.
 */
const lookBacks: Readonly<Partial<Record<Cut, readonly [CalendarUnit, number]>>> = {
  minute: ['hour', 2],
  hour: ['hour', 24],
  week: ['week', 12],
  month: ['month', 12],
  block: ['day', 3],
};
const lookBackElse = ['day', 30] as const;

/** @throws {Failure} that says which word is off. */
export function questionOf(
  word: string | undefined,
  wish: UsageWish,
  { io, json }: Pick<Output, 'io' | 'json'>,
): Question {
  const cut = word === undefined ? (wish.by ?? 'day') : cutOf(word);
  if (word !== undefined && wish.by !== undefined && wish.by !== cut) {
    throw usageFailure(`"${word}" and --by ${wish.by} are two cuts.`, 'Give one of them.');
  }
  if (wish.csv && json) throw usageFailure('--csv and --json are two forms.', 'Give one of them.');
  if (wish.breakdown !== undefined && (cut === 'models' || cut === wish.breakdown)) {
    const example = 'Such as "tri-agent-ctl usage daily --breakdown model".';
    throw usageFailure(`"${word ?? cut}" cannot be cut again by ${wish.breakdown}.`, example);
  }
  const zone = wish.timezone ?? io.timeZone ?? machineZone();
  if (!isTimeZone(zone)) {
    const hint = 'Name it as the tz database does, such as Europe/Berlin or UTC.';
    throw usageFailure(`There is no time zone "${zone}".`, hint);
  }
  const now = io.now();
  const [unit, units] = (cut === 'models' ? undefined : lookBacks[cut]) ?? lookBackElse;
  const until = momentOf('--until', wish.until, now, zone);
  const since =
    momentOf('--since', wish.since, now, zone) ??
    calendarStart(earlier(now, until), zone, unit, units - 1);
  const { breakdown, agent, session, provider, model, project, team, user, task } = wish;
  const filter = { agent, session, provider, model, project, team, user, task };
  return { cut, zone, since, until, breakdown, filter };
}

/** Who asks for what ended long ago wants the days before that end. */
function earlier(now: Date, until: Date | undefined): Date {
  return until !== undefined && until < now ? until : now;
}

function momentOf(
  option: string,
  text: string | undefined,
  now: Date,
  zone: string,
): Date | undefined {
  if (text === undefined) return undefined;
  const at = parseMoment(text, now, zone);
  if (at !== undefined) return at;
  throw usageFailure(
    `${option} ${text} is no time.`,
    'It must be 30m, 24h, 7d, today, yesterday, a date such as 2026-11-20 or an ISO time.',
  );
}
