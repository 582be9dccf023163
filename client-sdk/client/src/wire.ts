import type { SignedOutEvent } from './types.js';

/** What a page says on the channel. */
export type ClientMessage =
  | { readonly type: 'subscribe'; readonly token: string }
  | { readonly type: 'ack'; readonly id: string }
  | { readonly type: 'activity' };

/** What the hub says: an object, and nothing else is certain. */
export type HubMessage = Readonly<Record<string, unknown>>;

/** Reads one text of the hub's. Undefined for what is no message. */
export function readMessage(text: unknown): HubMessage | undefined {
  try {
    const message: unknown = JSON.parse(text as string);
    return message instanceof Object ? (message as HubMessage) : undefined;
  } catch {
    return undefined;
  }
}

/** A logout as an `slo-event` or an answer of the API tells of it. Undefined without an id: that cannot be acknowledged. */
export function readLogout(message: HubMessage): SignedOutEvent | undefined {
  const { type: _, continue_url: __, occurred_at: occurredAt, ...rest } = message;
  return rest['id'] ? ({ ...rest, occurredAt } as unknown as SignedOutEvent) : undefined;
}

/** Close code: what is presented has expired, and its session is not over. */
export const TOKEN_EXPIRED = 4003;
/** Close code: the token or ticket breaks a rule. */
export const INVALID_TOKEN = 4501;
/** Close code: the origin or the client may not do this. */
const NOT_ALLOWED = 4503;
/** Close code: the session is over, as the `slo-event` before it said. */
export const LOGGED_OUT = 4510;
/** No word from the hub: what browsers say when a connection fails. */
export const NO_ANSWER = 1006;

/** Whether the hub itself closed, for a reason of the protocol's. */
export function isHubsOwn(code: number): boolean {
  return code >= 4000;
}

/**
 * Whether to stay away until the app acts: 4500 to 4999 say so. `logged_out` does not count: had its `slo-event`
 * been heard, nobody would ask. It was lost, so the hub must be asked again.
 */
export function isFinal(code: number): boolean {
  return code >= 4500 && code !== LOGGED_OUT;
}

/**
 * Whether many pages may have lost the hub at the same moment: a restart, a crash, a broken line.
 * 4000 to 4004 are about one page alone.
 */
export function isShared(code: number): boolean {
  return !isHubsOwn(code) || code > 4004;
}

/** The close code that says what a refused HTTP request said. */
export function closeCodeOf(status: number, code: unknown): number {
  if (code === 'token_expired') return TOKEN_EXPIRED;
  if (status === 401) return INVALID_TOKEN;
  return status === 403 ? NOT_ALLOWED : NO_ANSWER;
}
