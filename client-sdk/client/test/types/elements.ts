/** The custom element as a page meets it. Compiled against the built declarations, never run. */
import { defineElements, SIGNED_OUT_NOTICE, type SignedOutEvent, type SignedOutNoticeElement } from '@slo-hub/client/elements';

defineElements();
declare const event: SignedOutEvent;
const made: SignedOutNoticeElement = document.createElement('slo-signed-out');
const found: SignedOutNoticeElement | null = document.querySelector(SIGNED_OUT_NOTICE);
made.event = event;
made.event = undefined;
made.event = null;
const told: SignedOutEvent | null = made.event;
void [found, told];
// @ts-expect-error an event is more than its reason
made.event = { reason: 'Bye' };
