import { connection } from 'next/server';
import type { ReactNode } from 'react';
import { hadSession, signedIn, type Person } from '../lib/session';
import { settings } from '../lib/settings';
import { Bar } from './bar';
import { SignedOut, Welcome } from './gate';
import { Watch } from './watch';

interface InsideProps {
  readonly title: string;
  /** The path of the page. */
  readonly at: string;
  readonly children: (person: Person) => ReactNode;
}

/** A page for whoever is signed in. Others are told that they are not, and why, and nothing of it is made. */
export async function Inside({ title, at, children }: InsideProps) {
  await connection();
  const inside = await signedIn();
  if (!inside) return (await hadSession()) ? <SignedOut why="Your session has ended." /> : <Welcome />;
  return (
    <>
      <title>{title}</title>
      <Bar {...inside} siblings={settings().siblings} at={at} />
      <main className="portal">{children(inside.person)}</main>
      <Watch />
    </>
  );
}
