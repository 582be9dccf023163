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
        const [own, told] = [login(), readTold(data)];
        if (own && told && isSameLogin(told.login, own)) heard(told.event);
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

/** What another tab has told: of another version of the app perhaps, or not of the SDK at all. */
function readTold(data: unknown): { event: SignedOutEvent; login: Login } | undefined {
  try {
    const { event, login } = data as { event: SignedOutEvent; login: Login };
    const { id, issuer, scope, source, occurredAt, reason = '', sub = '', sid = '' } = event;
    const isLogout = id && [id, issuer, source, occurredAt, reason, sub, sid, login.session].every(isText);
    return isLogout && (scope === 'session' || scope === 'user') ? { event, login } : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
