import type { Hub } from './hub.js';
import type { ClientMessage, HubMessage } from './wire.js';

/** What a channel needs to open, and whom it tells: of messages, and of its end with a close code. */
export interface Dial {
  readonly hub: Hub;
  readonly credential: string;
  /** Closes it. What it tells after that is not heard. */
  readonly signal: AbortSignal;
  heard(message: HubMessage | undefined): void;
  closed(code: number): void;
}

/** Says something on an open channel. False where this one carries nothing to the hub, or is down. */
export type Say = (message: ClientMessage) => boolean;
