import { useAuth0 } from '@auth0/auth0-react';
import { defineElements, type FreshSignIn, type SessionsClient, type SessionsElement } from '@slo-hub/client/elements';
import { useEffect, useRef, type DetailedHTMLProps } from 'react';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'slo-sessions': DetailedHTMLProps<HTMLAttributes<SessionsElement>, SessionsElement>;
    }
  }
}

defineElements();

/** `client` is what `useSlo` gives. */
export function Sessions({ client }: { client: SessionsClient | undefined }) {
  const { loginWithPopup } = useAuth0();
  const list = useRef<SessionsElement>(null);
  useEffect(() => {
    const element = list.current!;
    const signIn = ({ detail }: CustomEvent<FreshSignIn>) =>
      detail.waitUntil(loginWithPopup({ authorizationParams: { max_age: detail.maxAge } }));
    element.client = client;
    element.addEventListener('slo-fresh-sign-in', signIn);
    return () => element.removeEventListener('slo-fresh-sign-in', signIn);
  }, [client, loginWithPopup]);
  return <slo-sessions ref={list} />;
}
