/** What `<slo-sessions>` says. Each is an attribute of the element too; `{…}` is filled in. */
export const TEXTS = {
  heading: 'Active sessions',
  loading: 'Loading your sessions …',
  current: 'Current',
  'active-now': 'Active now',
  'last-active': 'Active {time}',
  'signed-in': 'Signed in on {time}',
  'sign-out': 'Sign out',
  everywhere: 'Sign out everywhere else',
  'ended-at-issuer': 'It has ended at the sign-in service; apps there may still be signed in.',
  alone: 'You are signed in nowhere else.',
  'alone-maybe': 'You are signed in nowhere else, as far as we know.',
  confirm: 'Sign out everywhere else?',
  reach: 'This ends {sessions} on {devices}, in {apps}.',
  lapsed: 'Ended to be certain: {sessions} from before, probably over by now.',
  more: 'Those used last are listed. There are {sessions} more.',
  cancel: 'Cancel',
  'signed-out': '{device} is signed out.',
  'all-signed-out': 'You are signed out everywhere else.',
  'not-fresh': 'To end other sessions, sign in again first: it has been a while.',
  'sign-in': 'Sign in again',
  nobody: 'You are not signed in.',
  'not-loaded': 'Your sessions could not be loaded.',
  'not-ended': 'That did not work. Nothing may have been signed out.',
  incomplete: 'There may be more: the sign-in service did not answer.',
  retry: 'Try again',
} as const;

export type TextName = keyof typeof TEXTS;

/** Fills in what stands in braces. What is filled in is not looked at again. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? values[name]! : whole));
}

/** "2 sessions" in English; the number alone in a text of the page's, which has its own words around it. */
export function counted(number: number, noun: string, isOurs: boolean): string {
  return isOurs ? `${number} ${noun}${number === 1 ? '' : 's'}` : String(number);
}

const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60]] as const;
/** After so many seconds, a day says more than how long ago it was. */
const LONG_AGO_S = 30 * 86_400;

/** How long ago that was, in words; a day, where that is long. */
export function ago(at: Date, now: number, language: string | undefined): string {
  const seconds = Math.max(0, Math.round((now - at.getTime()) / 1_000));
  if (seconds >= LONG_AGO_S) return day(at, language);
  const [unit, length] = UNITS.filter(([, least]) => seconds >= least)[0] ?? (['minute', 60] as const);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(-Math.max(1, Math.floor(seconds / length)), unit);
}

/** The day that it was. */
export function day(at: Date, language: string | undefined): string {
  return at.toLocaleDateString(language, { dateStyle: 'medium' });
}
