/**
 * Runs in the page before its own scripts. Looks at each frame, before it is painted, and
 * notes whether private content (what the selector finds) can be seen in it. A page that comes back from the
 * back/forward cache starts a new count.
 */
export function watchForGlimpses(selector) {
  const watch = { frames: 0, private: 0, restored: 0 };
  globalThis.glimpses = watch;
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    Object.assign(watch, { frames: 0, private: 0, restored: watch.restored + 1 });
  });
  const look = () => {
    watch.frames += 1;
    const content = document.querySelector(selector);
    if (content?.checkVisibility({ opacityProperty: true, visibilityProperty: true })) watch.private += 1;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
