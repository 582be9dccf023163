import {
  computed, defineComponent, h, nextTick, onScopeDispose, shallowRef, watch, type ComputedRef, type PropType, type Ref,
} from 'vue';
import { withAuth0, type Auth0Like, type Auth0LogoutOptions, type Auth0SloOptions } from './auth0.js';
import { follow, UNKNOWN, type FollowOptions, type SeenTo, type SloView } from './follow.js';
import { defineIdleWarning, IDLE_WARNING, type IdleClient } from './idle-warning-element.js';
import { THIS_PAGE } from './page.js';
import { attributesOf, defineSignedOutNotice, SIGNED_OUT_NOTICE, type Messages } from './signed-out-element.js';
import type { SignedOutEvent } from './types.js';

export { SloError, type SloErrorCode } from './errors.js';
export type { Auth0LogoutOptions, Auth0SloOptions } from './auth0.js';
export type { FollowOptions, SloView } from './follow.js';
export type * from './types.js';

/** What `useAuth0()` of auth0-vue returns, and `createAuth0()` makes, as far as it is used. */
export interface Auth0Plugin {
  readonly isLoading: Readonly<Ref<boolean>>;
  readonly idTokenClaims: Readonly<Ref<{ readonly __raw: string } | null | undefined>>;
  getAccessTokenSilently(options: { cacheMode: 'off' | 'cache-only' }): Promise<unknown>;
  readonly logout: Auth0Like['logout'];
}

export interface UseSloOptions extends Omit<Auth0SloOptions, SeenTo>, FollowOptions {
  /** What `useAuth0()` returned. */
  readonly auth0: Auth0Plugin;
}

/** Where this page's session stands, and how to end it. */
export type Slo = { readonly [K in keyof SloView]: ComputedRef<SloView[K]> } & {
  /** Signs out everywhere: at the hub, in this app, at Auth0. */
  readonly logout: (options?: Auth0LogoutOptions) => Promise<void>;
};

/**
 * Connects an app that signs in with auth0-vue to the hub, for as long as the component (or effect scope) lives: use
 * it once, above everything that is private. It waits until Auth0 has restored its session, and begins anew after
 * each sign-in. The hub is told that this app has signed out when what says so is on the page.
 *
 * On a server it does nothing.
 *
 * @throws SloError `bad_option` when `hub` is no absolute URL.
 */
export function useSlo(options: UseSloOptions): Slo {
  const { auth0 } = options;
  const view = shallowRef(UNKNOWN);
  const idToken = () => auth0.idTokenClaims.value?.__raw;
  const { check, close, logout } = follow({
    make: (seenTo) => withAuth0(asClient(auth0), { ...options, ...seenTo }),
    idToken: async () => idToken(),
    options: () => options,
    show: (shown) => void (view.value = shown),
    async painted() {
      await Promise.resolve(); // What is to be painted is about to be shown.
      await nextTick();
    },
  });
  // A token that is refreshed changes too, and is looked at; the person's data may be new objects at any time.
  if (THIS_PAGE.document) watch([auth0.isLoading, idToken], ([isLoading]) => void (isLoading || check()), { immediate: true });
  onScopeDispose(close);
  return {
    state: computed(() => view.value.state),
    isReady: computed(() => view.value.isReady),
    signedOut: computed(() => view.value.signedOut),
    idleSecondsLeft: computed(() => view.value.idleSecondsLeft),
    client: computed(() => view.value.client),
    logout,
  };
}

/**
 * The plugin has no way to ask for the claims, but a ref that may be older than what tabs share: looking into the
 * cache, and nowhere else, brings it up to date.
 */
function asClient(auth0: Auth0Plugin): Auth0Like {
  return {
    async getIdTokenClaims() {
      // Where there is none, it would only clear the error of a sign-in that failed.
      if (auth0.idTokenClaims.value) await auth0.getAccessTokenSilently({ cacheMode: 'cache-only' });
      return auth0.idTokenClaims.value;
    },
    logout: (how) => auth0.logout(how),
    getAccessTokenSilently: (how) => auth0.getAccessTokenSilently(how),
  };
}

/**
 * Tells the person that their session has ended, and why: the element `<slo-signed-out>`, which takes the focus.
 * Without an event, nothing is rendered. The slot is for a button or a link to sign in again.
 */
export const SignedOutNotice = defineComponent({
  name: 'SignedOutNotice',
  props: {
    /** What {@link useSlo} gave as `signedOut`. */
    event: { type: Object as PropType<SignedOutEvent | undefined>, default: undefined },
    heading: String,
    /** Said where the other app gave no reason. */
    message: String,
    /** Said in place of `message` for these sources. */
    messages: { type: Object as PropType<Messages>, default: undefined },
  },
  setup(props, { slots }) {
    defineSignedOutNotice();
    return () => {
      const { event, heading, message, messages } = props;
      const texts = { heading, message, ...attributesOf(messages) };
      return event && h(SIGNED_OUT_NOTICE, { '.event': event, ...texts }, slots['default']?.());
    };
  },
});

/**
 * Asks an idle person whether they stay, before they are signed out: the element `<slo-idle-warning>`, a modal dialog.
 * The slot stands below the message.
 */
export const IdleWarning = defineComponent({
  name: 'IdleWarning',
  props: {
    /** What {@link useSlo} gave as `client`. */
    client: { type: Object as PropType<IdleClient | undefined>, default: undefined },
    heading: String,
    /** With `{time}` where the rest goes: "30 seconds". */
    message: String,
    /** Said when no time is left. */
    ending: String,
    stay: String,
    signOut: String,
  },
  setup(props, { slots }) {
    defineIdleWarning();
    return () => {
      const { client, signOut, ...texts } = props;
      return h(IDLE_WARNING, { '.client': client, ...texts, 'sign-out': signOut }, slots['default']?.());
    };
  },
});
