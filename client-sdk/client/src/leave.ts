import type { SloClient } from './types.js';

/** A client that can sign out. The `logout()` of an adapter ends the app's own session too. */
export type Leaver = Pick<SloClient, 'signOut'> & { logout?(): Promise<void> };

/**
 * Signs out, as a button of an element says. The app can do that itself, if it calls `preventDefault()` on the event
 * `slo-sign-out`: then this is undefined.
 */
export function leave(element: HTMLElement, client: Leaver): Promise<unknown> | undefined {
  const isFree = element.dispatchEvent(new Event('slo-sign-out', { bubbles: true, composed: true, cancelable: true }));
  return isFree ? (client.logout?.() ?? client.signOut()) : undefined;
}

declare global {
  interface HTMLElementEventMap {
    'slo-sign-out': Event;
  }
}
