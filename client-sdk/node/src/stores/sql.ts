/** A table's name stands in the statements themselves, so it is a plain word. */
export function tableName(name = 'slo_sessions'): string {
  if (!/^[a-z_][a-z0-9_]{0,40}$/i.test(name)) {
    throw new TypeError('a table’s name is made of letters, digits and underscores, 41 at most');
  }
  return name;
}

/** One column of a row that may not be there. */
export function column(row: unknown, name: string): string | undefined {
  return (row as Readonly<Record<string, string>> | undefined)?.[name];
}

/** Does it once; again only after it has failed. */
export function once<T>(does: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => {
    done ??= { value: does() };
    return done.value;
  };
}

/** The same where the work takes a while: everybody waits for the one. */
export function onceAsync(does: () => Promise<unknown>): () => Promise<void> {
  let doing: Promise<void> | undefined;
  return () => {
    doing ??= does().then(
      () => {},
      (error: unknown) => {
        doing = undefined;
        throw error;
      },
    );
    return doing;
  };
}
