const DAY = 24 * 60 * 60 * 1000;

export interface Notice {
  readonly title: string;
  readonly text: string;
  readonly from: string;
  readonly at: Date;
}

export interface Payslip {
  /** The first day of its month. */
  readonly month: Date;
  readonly paidOn: Date;
  /** In euros. */
  readonly gross: number;
  readonly net: number;
}

export interface Absence {
  readonly title: string;
  readonly from: Date;
  /** The last day, included. */
  readonly to: Date;
  readonly days: number;
  readonly state: 'approved' | 'asked';
}

export interface Leave {
  /** In days, for the year. */
  readonly allowed: number;
  readonly booked: number;
  readonly coming: readonly Absence[];
}

const NOTICES = [
  {
    daysAgo: 0.2,
    from: 'Facilities',
    title: 'The lift in the east wing is being looked after',
    text: 'Until Thursday noon. The stairs beside the library are open all day, and the goods lift is there for whoever needs it.',
  },
  {
    daysAgo: 1.3,
    from: 'People',
    title: 'Leave for next year can be booked from Monday',
    text: 'Up to five days may be carried over. Talk to your team first, then ask here.',
  },
  {
    daysAgo: 4,
    from: 'The kitchen',
    title: 'Soup on Wednesdays',
    text: 'Two kinds, one without anything from animals. Bring your own bowl if you like it better.',
  },
  {
    daysAgo: 8,
    from: 'Computing',
    title: 'One sign-out for every app',
    text: 'Sign out in one of our apps and you are signed out of all of them on that device. Your other devices stay as they are.',
  },
];

/** By person; others are paid as beginners are. */
const GROSS = new Map([
  ['auth0|ada', 5480],
  ['auth0|grace', 6120],
]);
const BEGINNERS_GROSS = 3900;
const NET_PART = 0.646;
const ALLOWED_DAYS = 28;
const PAYDAY = 25;

/** @param now in ms since 1970 */
export function noticesAt(now: number): readonly Notice[] {
  return NOTICES.map(({ daysAgo, ...notice }) => ({ ...notice, at: new Date(now - daysAgo * DAY) }));
}

/**
 * A person's last six payslips, the latest first.
 *
 * @param now in ms since 1970
 */
export function payslipsOf(sub: string, now: number): readonly Payslip[] {
  const gross = GROSS.get(sub) ?? BEGINNERS_GROSS;
  const net = Math.round(gross * NET_PART);
  const today = new Date(now);
  const latest = today.getUTCDate() >= PAYDAY ? 0 : 1;
  return Array.from({ length: 6 }, (_, at) => {
    const month = dayOf(today.getUTCFullYear(), today.getUTCMonth() - latest - at, 1);
    return { month, paidOn: dayOf(month.getUTCFullYear(), month.getUTCMonth(), PAYDAY), gross, net };
  });
}

/** @param now in ms since 1970 */
export function leaveAt(now: number): Leave {
  const monday = nextMonday(now);
  const coming = [
    absence('A long weekend', monday + 11 * DAY, 1, 'approved'),
    absence('Holiday', monday + 35 * DAY, 5, 'approved'),
    absence('Moving house', monday + 71 * DAY, 2, 'asked'),
  ] as const;
  const booked = coming.filter(({ state }) => state === 'approved').reduce((sum, { days }) => sum + days, 0);
  return { allowed: ALLOWED_DAYS, booked, coming };
}

function absence(title: string, from: number, days: number, state: Absence['state']): Absence {
  return { title, from: new Date(from), to: new Date(from + (days - 1) * DAY), days, state };
}

function nextMonday(now: number): number {
  const today = new Date(now);
  return Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + ((8 - today.getUTCDay()) % 7 || 7));
}

function dayOf(year: number, month: number, day: number): Date {
  return new Date(Date.UTC(year, month, day));
}
