export { fileCursor } from './cursor.js';
export {
  WatchError,
  type HubLogout,
  type LogoutCursor,
  type LogoutHandler,
  type LogoutWatch,
  type WatchErrorCode,
  type WatchOptions,
} from './types.js';
export { watchLogouts } from './watch.js';
