import { isSameLogin, type Login } from './login.js';
import type { Page } from './page.js';
import type { SignedOutEvent } from './types.js';

/**
 * The app's other tabs, told of a logout that the hub has spoken of. A fast path only: every tab keeps its own
 * channel, since one that leads the others may be frozen or cached, and they would hear nothing.
 */
export interface Tabs {
  open(): void;
  tell(event: SignedOutEvent, login: Login | undefined): void;
  /** A page in the back/forward cache must not hold a channel. */
  close(): void;
}

/** `login` is the sign-in of this tab. Logouts of others, and of one that is older, are not heard. */
export function openTabs(
  page: Page,
  name: string,
  login: () => Login | undefined,
  heard: (event: SignedOutEvent) => void,
): Tabs {
  let channel: BroadcastChannel | undefined;
  return {
    open() {
      channel ??= new page.BroadcastChannel(name);
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        const own = login();
        if (own && isTold(data) && isSameLogin(data.login, own)) heard(data.event);
      };
    },
    tell(event, login) {
      if (login) channel?.postMessage({ event, login });
    },
    close() {
      channel?.close();
      channel = undefined;
    },
  };
}

interface Told {
  readonly event: SignedOutEvent;
  readonly login: Login;
}

/** Another tab may be of another version of the app, and what is said there not the SDK's at all. */
function isTold(data: unknown): data is Told {
  try {
    const { event, login } = data as Told;
    const texts = [event.id, event.issuer, event.occurredAt, login.session, ...Object.values(event)];
    return /^(session|user)$/.test(event.scope) && texts.every((text) => text && typeof text === 'string');
  } catch {
    return false;
  }
}
