import type { Page } from './page.js';

/** Hides what a page shows while it is not known whether its session is still alive. */
export interface Curtain {
  draw(): void;
  /** Still hides, but what is behind can take the focus: a handler is at work there. */
  loosen(): void;
  lift(): void;
  /** Lifts after so many ms, whatever happens: a hub that is down must not keep the page dark. */
  liftWithin(ms: number): void;
}

/**
 * A curtain for the page (true), for one element, or none.
 *
 * Drawn before the page is cached or frozen, so that its first frame afterwards has nothing on it. By styles on
 * the element, which no Content-Security-Policy forbids: `visibility` takes it from screen readers and the keyboard
 * too, `opacity` covers what makes itself visible inside. Nothing moves, nothing fades. The focus is put back.
 */
export function hangCurtain({ document }: Page, what: boolean | HTMLElement | undefined): Curtain {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let before: string | undefined;
  let focused: Element | null;
  const { style } = (what === true ? document?.documentElement : what) || {};
  const dress = (css: string) => {
    if (before !== undefined) style!.cssText = before + css;
  };
  const lift = () => {
    clearTimeout(timer);
    dress('');
    if (before !== undefined && document.activeElement === document.body) (focused as HTMLElement | null)?.focus();
    before = undefined;
  };
  return {
    draw() {
      clearTimeout(timer);
      if (before === undefined) focused = document.activeElement;
      before ??= style?.cssText;
      dress(';opacity:0!important;visibility:hidden!important');
    },
    loosen: () => dress(';opacity:0!important'),
    lift,
    liftWithin(ms) {
      clearTimeout(timer);
      timer = setTimeout(lift, ms);
    },
  };
}
