/** The page for the front channel, as a user of the package writes it. Compiled against the built declarations, never run. */
import {
  endFrontchannelSession,
  markFrontchannelStorage,
  SloError,
  type FrontchannelLogout,
  type FrontchannelResult,
  type FrontchannelStorage,
  type SessionPlace,
} from '@slo-hub/client/frontchannel';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const result = await endFrontchannelSession({
  hub: new URL('https://hub.example'),
  signOut: async ({ iss, sid, storage }) => {
    same<typeof iss, string | undefined>(true);
    same<typeof sid, string | undefined>(true);
    same<typeof storage, 'shared' | 'partitioned' | 'unknown'>(true);
  },
  sessionIn: 'server',
  window,
});
same<typeof result, FrontchannelResult>(true);
same<typeof result.acknowledged, boolean>(true);
same<typeof result.storage, FrontchannelStorage>(true);
same<SessionPlace, 'storage' | 'cookie' | 'server'>(true);

void endFrontchannelSession({ hub: '', signOut: () => {} }).catch((error: unknown) => error instanceof SloError && error.code);
void endFrontchannelSession({ hub: '', signOut: (logout: FrontchannelLogout) => console.log(logout.storage) });
same<ReturnType<typeof markFrontchannelStorage>, void>(true);

// @ts-expect-error the hub is needed: the frame answers nobody else
void endFrontchannelSession({ signOut: () => {} });
// @ts-expect-error signOut is needed
void endFrontchannelSession({ hub: '' });
// @ts-expect-error no such place
void endFrontchannelSession({ hub: '', signOut: () => {}, sessionIn: 'cookies' });
