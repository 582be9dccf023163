export interface Person {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
}

/** The person that an ID token speaks of; nobody, if it does not say who. */
export function personOf(user: { sub?: string; name?: string; email?: string } | undefined): Person | undefined {
  if (user?.sub === undefined) return undefined;
  return { sub: user.sub, name: user.name ?? user.sub, email: user.email ?? '' };
}

/** "AL" for Ada Lovelace. */
export function initialsOf({ name }: Person): string {
  return name.split(/\s+/).map((word) => word[0]).slice(0, 2).join('');
}
