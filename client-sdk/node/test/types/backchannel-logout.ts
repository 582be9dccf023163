/** The hooks as an app meets them, against the libraries' own types. Compiled against the built declarations, never run. */
import { auth, type ConfigParams } from 'express-openid-connect';
import session from 'express-session';
import { backchannelLogout, type LogoutMark, type LogoutMarkStore } from '@slo-hub/node';

// Any store of express-session.
const store = new session.MemoryStore();
auth({ backchannelLogout: backchannelLogout({ store }) });

// The store that express-openid-connect keeps its sessions in.
declare const sessions: NonNullable<NonNullable<ConfigParams['session']>['store']>;
backchannelLogout({ store: sessions });

// Two methods of one's own, with promises.
const own = {
  get: async (_key: string): Promise<LogoutMark | undefined> => undefined,
  set: async (_key: string, _mark: LogoutMark): Promise<void> => {},
};
const like: LogoutMarkStore = own;
backchannelLogout({ store: like, now: Date.now });

// @ts-expect-error a store is needed
backchannelLogout({});
// @ts-expect-error it keeps nothing
backchannelLogout({ store: { get: async () => undefined } });
