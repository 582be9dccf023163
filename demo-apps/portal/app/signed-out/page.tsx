import { redirect } from 'next/navigation';
import { leftWith, signedIn } from '../../lib/session';
import { SignedOut } from '../../ui/gate';

interface SignedOutPageProps {
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>;
}

/** Where the hub sends the browser back to. Without the state that it left with, anybody may have sent it here. */
export default async function SignedOutPage({ searchParams }: SignedOutPageProps) {
  const { state } = await searchParams;
  if (await signedIn()) redirect('/');
  const isOurs = typeof state === 'string' && (await leftWith(state));
  return <SignedOut why={isOurs ? 'You signed out in Portal.' : 'Your session has ended.'} />;
}
