export {
  backchannelLogout,
  type BackchannelLogoutHooks,
  type BackchannelLogoutOptions,
  type HookConfig,
  type SignedInRequest,
} from './backchannel-logout.js';
export type { LogoutMark, LogoutMarkStore } from './mark-store.js';
export * from './watch/index.js';
export type { LogoutClaims, LogoutStore } from './stores/types.js';
export { HubError } from './hub-error.js';
export { isLoggedOut, type IsLoggedOutOptions, type OpenIdRequest } from './is-logged-out.js';
export { verifyHubLogoutToken, type VerifiedLogout, type VerifyOptions } from './verify-hub-logout-token.js';
