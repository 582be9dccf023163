import { Client } from './client.js';
import { THIS_PAGE } from './page.js';
import type { SloClient, SloOptions } from './types.js';

export { SloError, type SloErrorCode } from './errors.js';
export type {
  IdleWarningEvent,
  Logger,
  LogoutSloClient,
  LogoutScope,
  LogoutSource,
  SignedOutEvent,
  SignOutOptions,
  SignOutResult,
  SloClient,
  SloEvents,
  SloOptions,
  SloState,
  TokenRequest,
} from './types.js';

/**
 * Connects this page to the hub, so that it hears when its session ends in any app.
 *
 * Create it once a page, after the app has restored its own session, and show private content when
 * {@link SloClient.ready} has settled. On a server it does nothing.
 *
 * @throws SloError `bad_option` when `hub` is no absolute URL.
 */
export function createSlo(options: SloOptions): SloClient {
  return new Client(options, THIS_PAGE);
}
