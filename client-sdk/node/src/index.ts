export {
  backchannelLogout,
  type BackchannelLogoutHooks,
  type BackchannelLogoutOptions,
  type HookConfig,
  type SignedInRequest,
} from './backchannel-logout.js';
export type { LogoutMark, LogoutMarkStore } from './mark-store.js';
