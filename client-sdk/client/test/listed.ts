/** Sessions as the hub lists them. */
import type { ListedSession } from '../src/sessions-api.js';

/** An app of them. */
export const app = (name: string) => ({ name, client_id: name.toLowerCase() });
export const LAPTOP: ListedSession = {
  id: 'a1', current: true, active: true, device: 'Chrome on macOS', address: '203.0.113.7',
  started_at: '2025-11-20T08:00:00.000Z', last_seen_at: '2025-11-21T08:00:00.000Z', apps: [app('Notes'), app('Shop')],
};
export const PHONE: ListedSession = {
  ...LAPTOP, id: 'b/2', current: false, active: false, device: 'Chrome on Android',
  started_at: '2025-10-01T08:00:00.000Z', last_seen_at: '2025-11-21T05:00:00.000Z', apps: [app('Notes'), app('Desk')],
};
export const TABLET: ListedSession = { ...PHONE, id: 'c3', active: true, apps: [app('Portal')] };
export const NOT_FRESH = { error: 'insufficient_user_authentication', code: 'insufficient_user_authentication' };
