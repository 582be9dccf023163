import { defineIdleWarning } from './idle-warning-element.js';
import { defineSessions } from './sessions-element.js';
import { defineSignedOutNotice } from './signed-out-element.js';

export { IDLE_WARNING, IdleWarningElement, type IdleClient } from './idle-warning-element.js';
export { SESSIONS, SessionsElement, type FreshSignIn, type SessionsClient } from './sessions-element.js';
export { SIGNED_OUT_NOTICE, SignedOutNoticeElement, type Messages } from './signed-out-element.js';
export type { LogoutScope, LogoutSource, SignedOutEvent } from './types.js';

/** Makes the elements known to the page; once is enough, more does no harm. On a server it does nothing. */
export function defineElements(): void {
  defineSignedOutNotice();
  defineIdleWarning();
  defineSessions();
}
