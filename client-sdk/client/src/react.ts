'use client';

import {
  createElement, useCallback, useEffect, useRef, useState, type CSSProperties, type ReactElement, type ReactNode,
} from 'react';
import { withAuth0, type Auth0Like, type Auth0LogoutOptions, type Auth0SloOptions } from './auth0.js';
import { follow, UNKNOWN, type Followed, type FollowOptions, type SeenTo, type SloView } from './follow.js';
import { defineIdleWarning, IDLE_WARNING, type IdleClient, type IdleWarningElement } from './idle-warning-element.js';
import {
  attributesOf, defineSignedOutNotice, SIGNED_OUT_NOTICE, type Messages, type SignedOutNoticeElement,
} from './signed-out-element.js';
import type { SignedOutEvent } from './types.js';

export { SloError, type SloErrorCode } from './errors.js';
export type { Auth0Like, Auth0LogoutOptions, Auth0SloOptions } from './auth0.js';
export type { FollowOptions, SloView } from './follow.js';
export type * from './types.js';

/** What `useAuth0()` of auth0-react returns, as far as it is used. */
export interface UsedAuth0 extends Auth0Like {
  readonly isLoading: boolean;
  readonly isAuthenticated: boolean;
  readonly user?: object | null | undefined;
}

/**
 * The functions may change from one render to the next. A new `hub` connects anew; the others count as they were
 * when the component was mounted.
 */
export interface UseSloOptions extends Omit<Auth0SloOptions, SeenTo>, FollowOptions {
  /** What `useAuth0()` returned in this render. */
  readonly auth0: UsedAuth0;
}

/** Where this page's session stands, and how to end it. */
export interface Slo extends SloView {
  /** Signs out everywhere: at the hub, in this app, at Auth0. The same function in every render. */
  readonly logout: (options?: Auth0LogoutOptions) => Promise<void>;
}

/**
 * Connects an app that signs in with auth0-react to the hub, for as long as the component is mounted: use it once,
 * above everything that is private. It waits until Auth0 has restored its session, and begins anew after each
 * sign-in. The hub is told that this app has signed out when what says so is on the page.
 *
 * StrictMode mounts twice and connects once. On a server it does nothing.
 */
export function useSlo(options: UseSloOptions): Slo {
  const [view, show] = useState(UNKNOWN);
  const latest = useRef(options);
  const followed = useRef<Followed<Auth0LogoutOptions> | undefined>(undefined);
  const waiting = useRef<Array<() => void>>([]);
  const { hub, auth0: { isLoading, isAuthenticated, user } } = options;
  const address = String(hub);

  useEffect(() => void (latest.current = options));
  useEffect(() => {
    const paint = () => waiting.current.splice(0).forEach((isPainted) => isPainted());
    const painted = () => new Promise<void>((resolve) => waiting.current.push(resolve));
    const connected = followAuth0(() => latest.current, show, painted);
    followed.current = connected;
    return () => {
      connected.close();
      paint();
    };
  }, [address]);
  useEffect(() => {
    if (!isLoading) void followed.current?.check();
  }, [address, isLoading, isAuthenticated, user]);
  useEffect(() => {
    if (view.signedOut) waiting.current.splice(0).forEach((isPainted) => isPainted());
  }, [view.signedOut]);

  const logout = useCallback(async (how?: Auth0LogoutOptions) => followed.current?.logout(how), []);
  return { ...view, logout };
}

/** Auth0's object is another one in each render: the newest is asked. */
function followAuth0(
  latest: () => UseSloOptions,
  show: (view: SloView) => void,
  painted: () => Promise<void>,
): Followed<Auth0LogoutOptions> {
  const auth0: Auth0Like = {
    getIdTokenClaims: () => latest().auth0.getIdTokenClaims(),
    logout: (how) => latest().auth0.logout(how),
    getAccessTokenSilently: async (how) => latest().auth0.getAccessTokenSilently?.(how),
  };
  return follow({
    make: (seenTo) => withAuth0(auth0, { ...latest(), ...seenTo }),
    idToken: async () => (await auth0.getIdTokenClaims())?.__raw,
    options: latest,
    show,
    painted,
  });
}

/** Texts of your own, and what the person can do next. `part` and custom properties style it: see the docs. */
export interface SignedOutNoticeProps {
  /** What {@link useSlo} gave as `signedOut`. Without one, nothing is rendered. */
  readonly event: SignedOutEvent | undefined;
  readonly heading?: string | undefined;
  /** Said where the other app gave no reason. */
  readonly message?: string | undefined;
  /** Said in place of `message` for these sources. */
  readonly messages?: Messages | undefined;
  readonly className?: string | undefined;
  readonly style?: CSSProperties | undefined;
  /** A button or a link to sign in again. */
  readonly children?: ReactNode;
}

/** Tells the person that their session has ended, and why: the element `<slo-signed-out>`, which takes the focus. */
export function SignedOutNotice({ event, messages, className, children, ...own }: SignedOutNoticeProps): ReactElement | null {
  const element = useRef<SignedOutNoticeElement>(null);
  useEffect(() => {
    defineSignedOutNotice();
    if (element.current) element.current.event = event;
  }, [event]);
  const props = { ...own, ...attributesOf(messages), class: className, ref: element };
  return event ? createElement(SIGNED_OUT_NOTICE, props, children) : null;
}

/** Texts of your own. `part` and custom properties style it: see the docs. */
export interface IdleWarningProps {
  /** What {@link useSlo} gave as `client`. */
  readonly client: IdleClient | undefined;
  readonly heading?: string | undefined;
  /** With `{time}` where the rest goes: "30 seconds". */
  readonly message?: string | undefined;
  /** Said when no time is left. */
  readonly ending?: string | undefined;
  readonly stay?: string | undefined;
  readonly signOut?: string | undefined;
  readonly className?: string | undefined;
  readonly style?: CSSProperties | undefined;
  /** Stands below the message. */
  readonly children?: ReactNode;
}

/** Asks an idle person whether they stay, before they are signed out: the element `<slo-idle-warning>`, a modal dialog. */
export function IdleWarning({ client, signOut, className, children, ...own }: IdleWarningProps): ReactElement {
  const element = useRef<IdleWarningElement>(null);
  useEffect(() => {
    defineIdleWarning();
    if (element.current) element.current.client = client;
  }, [client]);
  return createElement(IDLE_WARNING, { ...own, 'sign-out': signOut, class: className, ref: element }, children);
}
