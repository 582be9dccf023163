export interface Note {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  /** RFC 3339. */
  readonly changedAt: string;
}

export function newNote(title = '', body = '', changedAt = new Date()): Note {
  return { id: crypto.randomUUID(), title, body, changedAt: changedAt.toISOString() };
}

export function titleOf({ title }: Note): string {
  return title.trim() || 'New note';
}

export function excerptOf({ body }: Note): string {
  return body.replace(/\s+/g, ' ').trim() || 'No more text';
}

export function wordsIn({ title, body }: Note): number {
  return `${title} ${body}`.split(/\s+/).filter(Boolean).length;
}

export function matches({ title, body }: Note, query: string): boolean {
  return `${title} ${body}`.toLocaleLowerCase().includes(query.trim().toLocaleLowerCase());
}

export function newestFirst(notes: readonly Note[]): Note[] {
  return [...notes].sort((a, b) => b.changedAt.localeCompare(a.changedAt));
}

/** "14:03" today, "Mon 3 Nov" before. */
export function dateOf({ changedAt }: Note, now = new Date()): string {
  const date = new Date(changedAt);
  return date.toDateString() === now.toDateString()
    ? date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
}

/** What a new person finds, so that the app is not an empty room. */
export function firstNotes(name: string): Note[] {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  const first = name.split(' ')[0] ?? name;
  return [
    newNote(
      `Welcome, ${first}`,
      'This is your notebook. Everything is kept as you type.\n\nOnly you can read it, and only while you are signed in.',
    ),
    newNote(
      'Packing for the coast',
      '– rain jacket\n– binoculars\n– the good thermos\n– book for the train\n– swimsuit, just in case',
      hoursAgo(26),
    ),
    newNote(
      'Sourdough, third try',
      'More water this time: 78 %. Fold four times, half an hour apart. Overnight in the fridge, then straight into the hot pot.\n\nLast loaf was good but a little tight.',
      hoursAgo(75),
    ),
    newNote(
      'Questions for Thursday',
      'Who owns the roadmap after March?\nCan we drop the second review?\nAsk about the garden on the roof.',
      hoursAgo(123),
    ),
  ];
}
