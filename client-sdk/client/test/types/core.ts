/** The types as a user of the package meets them: compiled against the built declarations, never run. */
import { createSlo, SloError, type SignedOutEvent, type SloClient, type SloErrorCode, type SloState } from '@slo-hub/client';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const slo = createSlo({ hub: new URL('https://hub.example'), getToken: async () => null });
same<typeof slo, SloClient>(true);
same<typeof slo.state, SloState>(true);
same<typeof slo.ready, Promise<SloState>>(true);

// A token may come at once, or later, or not at all.
createSlo({ hub: '', getToken: () => 'token' });
createSlo({ hub: '', getToken: () => undefined });
createSlo({ hub: '', getToken: async ({ reason, signal }) => (reason === 'rejected' && !signal.aborted ? 'fresh' : null) });

createSlo({
  hub: '',
  getToken: () => null,
  onSignedOut: async ({ source, scope, reason, occurredAt, sid }) => {
    same<typeof scope, 'session' | 'user'>(true);
    same<typeof reason, string | undefined>(true);
    same<typeof occurredAt, string>(true);
    same<typeof sid, string | undefined>(true);
    if (source === 'backchannel' || source === 'of a newer hub') return;
  },
  transports: ['sse'],
  backoff: { max: 5 },
  curtain: document.body,
  debug: console,
});

slo.on('signed-out', (event) => same<typeof event, SignedOutEvent>(true));
slo.on('state', ({ state, previous }) => same<typeof state, typeof previous>(true));
slo.on('idle-warning', ({ secondsLeft, ask }) => {
  same<typeof secondsLeft, number>(true);
  ask();
});
slo.stay();
const token = slo.options.getToken({ reason: 'connect', signal: AbortSignal.timeout(1) });
same<typeof token, Promise<string | null | undefined> | string | null | undefined>(true);
slo.on('error', (error) => {
  same<typeof error, SloError>(true);
  same<typeof error.code, SloErrorCode>(true);
});
const off: () => void = slo.on('idle-cancelled', () => {});
off();

const { delivered, continueUrl } = await slo.start().signOut({ scope: 'user', redirect: true });
same<typeof delivered, boolean>(true);
same<typeof continueUrl, string | undefined>(true);

// @ts-expect-error getToken is needed
createSlo({ hub: '' });
// @ts-expect-error the hub is needed
createSlo({ getToken: () => null });
// @ts-expect-error a token is a text
createSlo({ hub: '', getToken: () => 7 });
// @ts-expect-error no such transport
createSlo({ hub: '', getToken: () => null, transports: ['carrier-pigeon'] });
// @ts-expect-error absent is not undefined
createSlo({ hub: '', getToken: () => null, curtain: undefined });
// @ts-expect-error no such event
slo.on('logout', () => {});
// @ts-expect-error the state is told, not set
slo.state = 'idle';
// @ts-expect-error no such scope
void slo.signOut({ scope: 'everything' });
