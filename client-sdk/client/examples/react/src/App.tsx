import { useAuth0 } from '@auth0/auth0-react';
import { SignedOutNotice, useSlo } from '@slo-hub/client/react';

export function App() {
  const auth0 = useAuth0();
  const { isReady, signedOut, logout } = useSlo({ auth0, hub: 'https://logout.example.com', curtain: true });
  const signIn = <button onClick={() => auth0.loginWithRedirect()}>Sign in</button>;

  if (signedOut) return <SignedOutNotice event={signedOut}>{signIn}</SignedOutNotice>;
  if (!isReady) return <p>One moment…</p>;
  if (!auth0.isAuthenticated) return signIn;
  return (
    <main>
      <p>Signed in as {auth0.user?.name}</p>
      <button onClick={() => logout({ reason: 'You signed out in Notes', logoutParams: { returnTo: location.origin } })}>
        Sign out
      </button>
    </main>
  );
}
