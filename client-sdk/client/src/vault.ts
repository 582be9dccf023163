import { isSameLogin, type Login } from './login.js';
import type { Page } from './page.js';

/** What a page can present to the hub, and the sign-in it stands for. */
export interface Held {
  /** A resume ticket, or until there is one, the ID token. */
  readonly credential: string;
  readonly isTicket?: boolean;
  readonly login: Login;
}

/** Keeps the resume ticket over a reload, a discarded tab and a closed browser. */
export interface Vault {
  /** The ticket that goes with this sign-in. */
  find(login: Login): Held | undefined;
  keep(held: Held): void;
  /** The sign-in has ended; whichever it was, when it is not known. A newer one's ticket, put here by another tab, stays. */
  forget(login: Login | undefined): void;
  /**
   * The app has no session. So a token that comes later comes from a new sign-in, and the ticket must not
   * speak for it; unless the ticket's sign-in had a nonce: then that will tell, also when the app had only
   * not restored its session yet.
   */
  nobodySignedIn(): void;
}

/**
 * A vault in `localStorage`, for that is how long apps keep their own sessions: an app that is opened a day later,
 * refreshes its token and presents that would never hear of a logout in between. With the ticket goes the sign-in
 * it was given for, so that it is presented for no other. ID tokens are never written: a ticket can listen and
 * sign out, and nothing else. Where storage is forbidden or full, a ticket lives as long as its page.
 */
export function openVault(page: Page, key: string): Vault {
  const read = (isMeant: (login: Login) => boolean): Held | undefined => {
    try {
      const held = JSON.parse(page.localStorage.getItem(key)!) as Held;
      return isMeant(held.login) ? held : undefined;
    } catch {
      return undefined; // Nothing there, nothing of ours, or no storage.
    }
  };
  const write = (held?: Held) => {
    try {
      if (held) page.localStorage.setItem(key, JSON.stringify(held));
      else page.localStorage.removeItem(key);
    } catch {
      // The app works all the same.
    }
  };
  const find = (login: Login) => read((kept) => isSameLogin(kept, login));
  return {
    find,
    keep: write,
    forget(login) {
      if (!login || find(login)) write();
    },
    nobodySignedIn() {
      if (read((kept) => !kept.nonce)) write();
    },
  };
}
