import { signOutRequest } from '@slo-hub-demo/shared';
import type { Slo } from '@slo-hub/client/react';
import { useEffect, useState } from 'react';
import { BRAND } from './brand';

/** Ends this session, or every session of the person. */
export type SignOut = (options?: { everywhere?: boolean }) => void;

/** The person's own sign-out, and whether they are on their way out. */
export function useSignOut(logout: Slo['logout']): { isLeaving: boolean; signOut: SignOut } {
  const [isLeaving, setLeaving] = useState(false);

  // The Back button may bring the page back as it was left.
  useEffect(() => {
    const isBack = ({ persisted }: PageTransitionEvent) => persisted && setLeaving(false);
    addEventListener('pageshow', isBack);
    return () => removeEventListener('pageshow', isBack);
  }, []);

  const signOut: SignOut = ({ everywhere = false } = {}) => {
    setLeaving(true);
    logout(signOutRequest(BRAND, everywhere)).catch((error) => {
      console.error(error);
      setLeaving(false);
    });
  };
  return { isLeaving, signOut };
}
