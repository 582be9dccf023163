import { connection } from 'next/server';
import { Fault } from '../../ui/gate';

/** Where a sign-in ends that came to nothing. */
export default async function NotSignedIn() {
  await connection();
  return <Fault title="We could not sign you in" text="The sign-in was not finished, or the sign-in service does not answer." />;
}
