import { useAuth0 } from '@auth0/auth0-react';
import {
  brokenPage, leavingPage, personOf, recallWhy, rememberWhy, SIGNED_OUT, signedOutPage, signInRequest, waitingPage, welcomePage,
  whyOf, type AppConfig,
} from '@slo-hub-demo/shared';
import { useSlo, type SignedOutEvent, type UsedAuth0 } from '@slo-hub/client/react';
import { useEffect, useMemo } from 'react';
import { BRAND } from './brand';
import { Floor } from './floor';
import { Gate } from './gate';
import { notingSignOuts, type Means } from './receipt';
import { ReceiptView } from './receipt-view';
import { useSignOut } from './use-sign-out';

/** What the app must know of its surroundings. */
export interface AppProps {
  readonly config: AppConfig;
  readonly means: Means;
}

/** Shows what is for sale to who is signed in, once the hub has had its chance to say that the session is over. */
export function App({ config, means }: AppProps) {
  const auth0 = useAuth0();
  const { isReady, signedOut, logout } = useSharedSession(auth0, { config, means });
  const { isLeaving, signOut } = useSignOut(logout);
  const signIn = () => void auth0.loginWithRedirect(signInRequest(recallWhy()));

  if (signedOut) return <SignedOut means={means} event={signedOut} signIn={signIn} />;
  if (auth0.error) return <Broken error={auth0.error} />;
  if (isLeaving) return <Gate page={leavingPage(BRAND)} />;
  if (auth0.isLoading || !isReady) return <Gate page={waitingPage(BRAND)} />;
  const person = personOf(auth0.user);
  if (person) return <Floor key={person.sub} config={config} means={means} person={person} signOut={signOut} />;
  if (location.pathname === SIGNED_OUT) return <SignedOut means={means} signIn={signIn} />;
  return <Gate page={welcomePage(BRAND)} onAction={signIn} />;
}

function useSharedSession(auth0: UsedAuth0, { config, means }: AppProps) {
  const fetch = useMemo(() => notingSignOuts(means), [means]);
  return useSlo({
    auth0,
    hub: config.hub,
    curtain: true,
    fetch,
    onSignedOut(event) {
      rememberWhy(whyOf(event));
      history.replaceState(null, '', SIGNED_OUT);
    },
  });
}

function Broken({ error }: { error: Error }) {
  useEffect(() => console.error(error), [error]);
  return <Gate page={brokenPage(BRAND)} onAction={() => location.assign('/')} />;
}

/** Where somebody arrives who has signed out, here or elsewhere. The event is there when it has just happened elsewhere. */
function SignedOut({ means, event, signIn }: { means: Means; event?: SignedOutEvent; signIn: () => void }) {
  const page = signedOutPage(BRAND, event ? whyOf(event) : recallWhy());
  return (
    <Gate page={page} event={event} onAction={signIn}>
      <ReceiptView means={means} />
    </Gate>
  );
}
